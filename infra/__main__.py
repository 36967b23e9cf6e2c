"""The program that `pulumi up` runs: settings in, stacks out."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Pulumi puts this folder on the path, where `azure` and `kubernetes` would hide others' packages.
sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != HERE)]

from infra.program import declare  # noqa: E402
from infra.stack_config import read_stack_config  # noqa: E402

declare(read_stack_config())
