"""The C library's allocator: memory that a batch has freed stays for the next one."""

from __future__ import annotations

import ctypes
import os
from typing import Final

KEPT_BYTES: Final = 32 * 2**20
"""What an arena keeps at its end, and up to which size a piece is taken from an arena at all. No
version of glibc takes more for the latter."""

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_VARIABLES: Final = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let malloc keep up to `KEPT_BYTES`, unless its own environment variables decide.

    A batch's arrays are of some hundred kilobytes. Without this, each comes from the system as pages
    that are cleared and mapped one by one, and goes back to it, batch after batch.

    Returns:
        Whether it will: where the C library isn't glibc, nothing is changed (mallopt(3)).
    """
    if any(variable in os.environ for variable in _VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    options = (_TRIM_THRESHOLD, _MMAP_THRESHOLD)
    return all(mallopt(option, KEPT_BYTES) == 1 for option in options)
