"""How much memory a server takes that runs beside others which read the same files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from benchmarks.peers.process_tree import processes_of


def memory_megabytes(pid: int) -> float:
    """Resident memory of a process and its descendants in MB; what several of them share counts once.

    Pages of files count whole, though servers beside it may have mapped them, too: of each mapping the
    most that one of the processes has.
    """
    anonymous = 0
    mapped: dict[str, int] = {}
    for each in processes_of(pid):
        with suppress(OSError):
            folder = Path(f"/proc/{each.pid}")
            anonymous += _anonymous_kilobytes((folder / "smaps_rollup").read_text())
            for mapping, size in _file_kilobytes((folder / "smaps").read_text()).items():
                mapped[mapping] = max(mapped.get(mapping, 0), size)
    return (anonymous + sum(mapped.values())) * 1024 / 1e6


def _anonymous_kilobytes(rollup: str) -> int:
    """A process's part of the pages of no file (proc(5), smaps_rollup): only its descendants share them."""
    fields = (line.split() for line in rollup.splitlines())
    return sum(int(value) for name, value, *_ in fields if name == "Pss_Anon:")


def _file_kilobytes(smaps: str) -> dict[str, int]:
    """Resident pages of each mapped part of a file, or of shared memory, but private copies of them."""
    found: dict[str, int] = {}
    mapping = ""
    resident = 0
    for line in smaps.splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            # The mapping's addresses, permissions, offset, device, inode, and path.
            mapping = f"{values[1]} {values[2]} {values[3]}"
        elif name == "Rss:":
            resident = int(values[0])
        elif name == "Anonymous:" and not mapping.endswith(" 0"):
            found[mapping] = found.get(mapping, 0) + resident - int(values[0])
    return found
