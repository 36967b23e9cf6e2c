"""Which build of the project this is; an image's build sets the variables."""

from __future__ import annotations

import os

VERSION = os.environ.get("BUILD_VERSION") or "0.0.0"
"""Version of the project; 0.0.0 outside an image that names it."""

REVISION = os.environ.get("BUILD_REVISION") or "unknown"
"""Commit that it was built from."""
