"""The C library's allocator, as a service wants it: mallopt(3), where that library is glibc."""

from __future__ import annotations

import ctypes
import os
from typing import Final

KEPT_BYTES: Final = 32 * 2**20
"""What an arena keeps at its end, and up to which size a piece is taken from an arena at all. No
version of glibc takes more for the latter."""
ARENAS: Final = 2

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_VARIABLES: Final = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def share_arenas() -> bool:
    """Let threads allocate from a few arenas, not from one for each of them.

    Otherwise every thread that ever decoded a picture keeps the memory for it.

    Returns:
        Whether they will.
    """
    return _set(_ARENA_MAX, ARENAS)


def keep_freed_memory() -> bool:
    """Let malloc keep up to `KEPT_BYTES`, unless its own environment variables decide.

    For a model whose batches take arrays of some hundred kilobytes. Without this, each comes from the
    system as pages that are cleared and mapped one by one, and goes back to it, batch after batch.
    Where pictures of megabytes come and go, it would keep much for no gain in time.

    Returns:
        Whether it will.
    """
    if any(variable in os.environ for variable in _VARIABLES):
        return False
    return _set(_TRIM_THRESHOLD, KEPT_BYTES) and _set(_MMAP_THRESHOLD, KEPT_BYTES)


def _set(option: int, value: int) -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return mallopt(option, value) == 1
