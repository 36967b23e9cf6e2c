"""Large memory in large pages: madvise(2), where the system is Linux.

A network that reads tens of megabytes of weights for each picture needs more pages of 4 KiB than the
processor keeps translations for, and pushes out those of everything else that runs between two pictures.
In pages of 2 MiB they all fit. Many systems give those only to who asks (Linux's "Transparent Hugepage
Support": the setting ``madvise``).
"""

from __future__ import annotations

import ctypes
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HUGE_PAGE: Final = 2 * 2**20
LEAST_RESIDENT: Final = 0.75
"""Of a region's memory that must be in use already: what is not, is used afterwards."""

_COLLAPSE: Final = 25
"""MADV_COLLAPSE, since Linux 6.1: now, by copying."""
_ADVISE: Final = 14
"""MADV_HUGEPAGE: in the course of time, by the kernel's own thread."""
_SETTING: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_SMAPS: Final = Path("/proc/self/smaps")
_REGION: Final = re.compile(
    rb"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+) *(.*)\n(?:\w+: .*\n)*?Rss: +(\d+) kB\n"
)


@dataclass(frozen=True)
class Region:
    """The whole huge pages of a region of memory; addresses in bytes."""

    start: int
    end: int


def use_huge_pages() -> int:
    """Have this process's own large regions of memory, as they are now, in pages of 2 MiB.

    To be called once a model is loaded and has run. It takes about half a millisecond a page.

    Returns:
        In how many bytes; 0 where the system has no such pages, or is set to give none.
    """
    try:
        madvise = ctypes.CDLL(None, use_errno=True).madvise
        if b"[never]" in _SETTING.read_bytes():
            return 0
        smaps = _SMAPS.read_bytes()
    except (AttributeError, OSError, TypeError):
        return 0
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def put(region: Region) -> bool:
        start, length = region.start, region.end - region.start
        if madvise(start, length, _COLLAPSE) == 0:
            return True
        # Where pages are short, others must not be taken later, when somebody waits for an answer.
        return ctypes.get_errno() == errno.EINVAL and madvise(start, length, _ADVISE) == 0

    return sum(region.end - region.start for region in _large_regions(smaps) if put(region))


def _large_regions(smaps: bytes) -> Iterator[Region]:
    """Those of proc_pid_smaps(5) that are private, of no file, and mostly resident."""
    for start, end, access, inode, name, resident in _REGION.findall(smaps):
        first, last = int(start, 16), int(end, 16)
        is_own = access == b"rw-p" and inode == b"0" and not name.startswith(b"[stack")
        if is_own and int(resident) * 1024 >= LEAST_RESIDENT * (last - first):
            whole = Region(-(-first // HUGE_PAGE) * HUGE_PAGE, last // HUGE_PAGE * HUGE_PAGE)
            if whole.start < whole.end:
                yield whole
