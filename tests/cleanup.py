"""Ending what tests start beside their own process, whatever becomes of that process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

END_SECONDS = 60
WATCH = 'eval "$1" >&2; status=$?; trap "" PIPE; echo "$status"; cat >/dev/null; eval "$2"'
"""Goes on at the end of its input, of which only the tests' process holds the other end. When that
process is gone already nobody reads the status, which must not end the shell before the last part.
"""


class StartFailed(Exception):
    """The command that should start something did not; with what it said."""


@contextmanager
def ended_by(stop: str, *, start: str = "true") -> Iterator[None]:
    """Run ``start`` now, and ``stop`` at the end of the block or when this process is killed.

    Both are commands of the shell; ``stop`` never comes before ``start`` is done.

    Raises:
        StartFailed: ``start`` failed; ``stop`` is done then, too.
        CalledProcessError: ``stop`` failed.
    """
    watcher = subprocess.Popen(
        ["sh", "-c", WATCH, "sh", start, stop],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # or Ctrl-C would end it together with the tests
    )
    assert watcher.stdout is not None
    failed, said = True, ""
    try:
        failed = watcher.stdout.readline().strip() != "0"
        if not failed:
            yield
    finally:
        _, said = watcher.communicate(timeout=END_SECONDS)
    if failed:
        raise StartFailed(said.strip())
    if watcher.returncode:
        raise subprocess.CalledProcessError(watcher.returncode, stop, stderr=said)
