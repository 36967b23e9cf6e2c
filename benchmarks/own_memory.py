"""How much memory this process takes while it does something."""

from __future__ import annotations

import threading
from pathlib import Path

EVERY_SECONDS = 0.2


class OwnMemory:
    """Looks at this process's memory again and again, until the `with` ends.

    Maps of files are not counted: their pages are given up when other processes need the memory.
    """

    def __init__(self) -> None:
        self.peak_megabytes = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> OwnMemory:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def look(self) -> None:
        """Look now."""
        self.peak_megabytes = max(self.peak_megabytes, anonymous_megabytes())

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self.look()


def anonymous_megabytes() -> float:
    """Return the memory that this process has now besides maps of files (proc(5), `RssAnon`)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / 1e6
