"""What `pulumi preview --policy-pack policies` runs."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine runs this directory, and not the package that it is.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import EnforcementLevel, PolicyPack

from policies import pack

PolicyPack(pack.NAME, pack.policies(), enforcement_level=EnforcementLevel.MANDATORY)
