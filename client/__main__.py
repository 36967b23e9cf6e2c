"""``python -m client``."""

from __future__ import annotations

import sys

from client.command_line.main import main

sys.exit(main())
