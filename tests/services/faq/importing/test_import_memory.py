"""Memory does not grow with the dump; `python -m benchmarks importing` shows it for gigabytes."""

from __future__ import annotations

from pathlib import Path

import py7zr
import pytest

from benchmarks.generated_dump import generate_dump
from benchmarks.importing import measure

SMALL, LARGE = 6, 36
"""Megabytes. To keep the large dump in any form would take four times its size."""
MOST_GROWTH = 12
QUICK = [{"id": py7zr.FILTER_LZMA2, "preset": 1}]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["XML", "7z"])
def test_a_dump_of_six_times_the_size_takes_hardly_more_memory(form: str, tmp_path: Path) -> None:
    peaks: list[float] = []
    for megabytes in (SMALL, LARGE):
        dump = generate_dump(tmp_path / f"{megabytes}", megabytes)
        source = dump.folder
        if form == "7z":
            source = tmp_path / f"{megabytes}.7z"
            import py7zr

            with py7zr.SevenZipFile(source, "w", filters=[{"id": py7zr.FILTER_BZIP2}]) as archive:
                for path in dump.folder.iterdir():
                    archive.write(path, path.name)
        peaks.append(measure(form, dump, source).peak_megabytes)
    assert peaks[1] - peaks[0] < MOST_GROWTH, peaks
