"""What a run has found so far, so that it can be taken up where it was cut off."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.measurement import Measured
from client.written_file import write_file

STALE_SECONDS = 2 * 3600.0
"""Figures of another time were measured beside nothing of this one."""


@dataclass(frozen=True)
class Place:
    """One row's place in a run."""

    service: str
    server: str
    configuration: str
    round: int = 1

    @property
    def file_name(self) -> str:
        """Where it is kept."""
        return f"{self.service}-{self.server}-{self.configuration}-{self.round}.json"


class KeptRun:
    """A folder with one file for each row that is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, place: Place) -> Measured | None:
        """What an interrupted run found there, unless it is too old."""
        path = self.folder / place.file_name
        try:
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                return None
            return Measured.from_json(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, place: Place, measured: Measured) -> None:
        """Write a row."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_file(self.folder / place.file_name, json.dumps(measured.to_json()).encode())

    def forget(self) -> None:
        """The run is complete, or another one is wanted."""
        shutil.rmtree(self.folder, ignore_errors=True)
