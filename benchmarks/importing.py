"""Importing generated dumps of growing size: memory, which must not grow, and throughput.

``python -m benchmarks.importing --megabytes N`` measures one size and prints what it finds.
"""

from __future__ import annotations

import argparse
import bz2
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import py7zr

from benchmarks.generated_dump import MEGABYTE, GeneratedDump, generate_dump
from benchmarks.models import ROOT
from benchmarks.result import Result, Table, Target

SIZES = (25, 250, 2_500)
"""Megabytes of Posts.xml."""
COMPRESSED = 25
"""Size of the dump that is imported compressed too: it takes longer to compress than to import."""
MOST_MEMORY = 1_000
MOST_GROWTH = 1.5


@dataclass(frozen=True)
class Measured:
    """One import."""

    form: str
    dump: GeneratedDump
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    written: dict[str, int]

    def row(self) -> list[str]:
        """The figures as cells."""
        return [
            self.form,
            f"{self.dump.bytes / MEGABYTE:,.0f}",
            f"{self.dump.posts:,}",
            f"{self.dump.links:,}",
            f"{self.written['written: originals']:,}",
            f"{self.written['written: duplicates']:,}",
            f"{self.seconds:,.1f}",
            f"{self.cpu_seconds:,.1f}",
            f"{self.dump.bytes / MEGABYTE / self.cpu_seconds:,.0f}",
            f"{self.peak_megabytes:,.0f}",
        ]


def run() -> Result:
    """Import every size as plain XML, and one of them compressed."""
    measured: list[Measured] = []
    for megabytes in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            dump = generate_dump(Path(folder) / "xml", megabytes)
            measured.append(measure("XML", dump, dump.folder))
            if megabytes == COMPRESSED:
                measured += _compressed(dump, Path(folder))
    plain = [each for each in measured if each.form == "XML"]
    growth = plain[-1].peak_megabytes / plain[0].peak_megabytes
    most = max(each.peak_megabytes for each in measured)
    return Result(
        name="importing",
        title="Importing a Stack Exchange dump",
        notes=[
            "Dumps that were generated, with bodies of a kilobyte on average, 6 % of the questions "
            "closed as duplicates, a third of the questions with the tag. Each is imported by "
            "`python -m services.faq import` in a process of its own; its peak of resident memory "
            "is the kernel's figure (`wait4`). MB are those of the XML, compressed or not.",
        ],
        tables=[
            Table(
                "Imports",
                ("form", "MB of XML", "posts", "links", "originals", "duplicates", "s",
                 "CPU s", "MB per CPU s", "peak MB"),
                [each.row() for each in measured],
            )
        ],
        targets=[
            Target("peak memory under 1 GB", f"{most:,.0f} MB", most < MOST_MEMORY),
            Target(
                f"memory does not grow with the dump: {SIZES[-1] // SIZES[0]} times the size, "
                f"under {MOST_GROWTH} times the memory",
                f"{growth:.2f} times", growth < MOST_GROWTH,
            ),
        ],
    )  # fmt: skip


def measure(form: str, dump: GeneratedDump, source: Path) -> Measured:
    """Import `source` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "services.faq", "import", "--dump", source, "--data", data],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"the import failed with status {process.returncode}")
        counts = json.loads((data / "import-report.json").read_bytes())["counts"]
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measured(form, dump, seconds, cpu_seconds, usage.ru_maxrss * 1024 / MEGABYTE, counts)


def _compressed(dump: GeneratedDump, folder: Path) -> list[Measured]:
    bz2_folder, archives = folder / "bz2", folder / "7z"
    bz2_folder.mkdir()
    archives.mkdir()
    for path in sorted(dump.folder.iterdir()):
        print(f"compressing {path.name} …", file=sys.stderr)
        with path.open("rb") as plain, bz2.open(bz2_folder / f"{path.name}.bz2", "wb", 9) as target:
            shutil.copyfileobj(plain, target, 1 << 20)
        archive = archives / f"stackoverflow.com-{path.stem}.7z"
        with py7zr.SevenZipFile(archive, "w", filters=[{"id": py7zr.FILTER_BZIP2}]) as target:
            target.write(path, path.name)
    return [measure("bz2", dump, bz2_folder), measure("7z", dump, archives)]


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=SIZES[-1], help="of Posts.xml")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dump = generate_dump(Path(folder) / "xml", options.megabytes)
        print(json.dumps(_facts(measure("XML", dump, dump.folder)), indent=1))


def _facts(measured: Measured) -> dict[str, float]:
    return {
        "megabytes": round(measured.dump.bytes / MEGABYTE),
        "seconds": round(measured.seconds, 1),
        "cpu_seconds": round(measured.cpu_seconds, 1),
        "peak_megabytes": round(measured.peak_megabytes),
    }


if __name__ == "__main__":
    main()
