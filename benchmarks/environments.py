"""Which environment of Python a backend of the picture classifier runs in."""

from __future__ import annotations

import sys
from pathlib import Path

from services.launch import ROOT

TENSORFLOW = ROOT / ".venvs" / "tensorflow" / "bin" / "python"
IN_TENSORFLOW = ("keras", "tensorflow")
"""Backends that need the environment of `make tensorflow`."""


def interpreter(backend: str) -> Path:
    """The Python that has what a backend needs."""
    return TENSORFLOW if backend in IN_TENSORFLOW else Path(sys.executable)
