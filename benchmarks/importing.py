"""Importing generated dumps of growing size: memory, which must not grow, and throughput.

``python -m benchmarks.importing --megabytes N`` measures one size and prints what it finds;
``--form`` chooses how the dump is compressed. What was measured is kept, so that it need not be again.
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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import py7zr

from benchmarks.generated_dump import MEGABYTE, GeneratedDump, generate_dump
from benchmarks.models import KEPT, ROOT
from benchmarks.result import Result, Table, Target
from client.written_file import write_file

ARCHIVES = {"7z, bzip2": py7zr.FILTER_BZIP2, "7z, LZMA2": py7zr.FILTER_LZMA2}
"""The 7z archives, by what compresses them; those of Stack Exchange's dumps are of the first kind."""
SIZES = {"XML": (25, 250, 2_500), "bz2": (25,), "7z, bzip2": (25, 500), "7z, LZMA2": (25,)}
"""Megabytes of Posts.xml that are imported in each form: compressing takes longer than importing."""
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
    day: str

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
            self.day,
        ]


def run() -> Result:
    """Import every size in its forms.

    What was measured before is not again; `.bench/importing` is to be removed to begin anew.
    """
    measured: list[Measured] = []
    for megabytes in sorted({size for sizes in SIZES.values() for size in sizes}):
        forms = [form for form, sizes in SIZES.items() if megabytes in sizes]
        missing = [form for form in forms if not _kept_file(megabytes, form).exists()]
        if missing:
            measure_forms(megabytes, missing)
        measured += [_kept(megabytes, form) for form in forms]
    most = max(each.peak_megabytes for each in measured)
    return Result(
        name="importing",
        title="Importing a Stack Exchange dump",
        notes=[
            "Dumps that were generated, with bodies of a kilobyte on average, 6 % of the questions "
            "closed as duplicates, a third of the questions with the tag. Each is imported by "
            "`python -m services.faq import` in a process of its own; its peak of resident memory "
            "is the kernel's figure (`wait4`). MB are those of the XML, compressed or not. All rows "
            "are of one machine, each of the day it names; it had other work besides.",
        ],
        tables=[
            Table(
                "Imports",
                ("form", "MB of XML", "posts", "links", "originals", "duplicates", "s",
                 "CPU s", "MB per CPU s", "peak MB", "measured on"),
                [each.row() for each in measured],
            )
        ],
        targets=[
            Target("peak memory under 1 GB", f"{most:,.0f} MB", most < MOST_MEMORY),
            *(_growth(form, measured) for form, sizes in SIZES.items() if len(sizes) > 1),
        ],
    )  # fmt: skip


def measure_forms(megabytes: int, forms: Sequence[str]) -> list[Measured]:
    """Generate a dump, import it in each of the forms, and keep what is found."""
    (KEPT / "importing").mkdir(parents=True, exist_ok=True)
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        dump = generate_dump(Path(folder) / "xml", megabytes)
        for form in forms:
            found = _measure_form(form, dump, Path(folder) / "compressed")
            facts = json.dumps(asdict(found), default=str)
            write_file(_kept_file(megabytes, form), facts.encode())
            measured.append(found)
    return measured


def _kept_file(megabytes: int, form: str) -> Path:
    return KEPT / "importing" / f"{megabytes}-{form.replace(', ', '-')}.json"


def _kept(megabytes: int, form: str) -> Measured:
    fields = json.loads(_kept_file(megabytes, form).read_bytes())
    dump = GeneratedDump(**{**fields["dump"], "folder": Path(fields["dump"]["folder"])})
    return Measured(**{**fields, "dump": dump})


def _growth(form: str, measured: list[Measured]) -> Target:
    """Judge by how much more memory the largest dump of a form takes than the smallest."""
    peaks = [each.peak_megabytes for each in measured if each.form == form]
    times = SIZES[form][-1] // SIZES[form][0]
    return Target(
        f"memory does not grow with the dump ({form}): {times} times the size, under {MOST_GROWTH} "
        "times the memory",
        f"{peaks[-1] / peaks[0]:.2f} times",
        peaks[-1] / peaks[0] < MOST_GROWTH,
    )


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
    return Measured(
        form=form, dump=dump, seconds=seconds, cpu_seconds=cpu_seconds,
        peak_megabytes=usage.ru_maxrss * 1024 / MEGABYTE, written=counts,
        day=datetime.now(UTC).date().isoformat(),
    )  # fmt: skip


def _measure_form(form: str, dump: GeneratedDump, folder: Path) -> Measured:
    """Compress a dump, import it, and remove what was compressed."""
    if form == "XML":
        return measure(form, dump, dump.folder)
    folder.mkdir()
    for path in sorted(dump.folder.iterdir()):
        print(f"compressing {path.name} ({form}) …", file=sys.stderr)
        if form in ARCHIVES:
            _seven_zip(ARCHIVES[form], path, folder)
        else:
            _bz2(path, folder)
    measured = measure(form, dump, folder)
    shutil.rmtree(folder)
    return measured


def _bz2(path: Path, folder: Path) -> None:
    with path.open("rb") as plain, bz2.open(folder / f"{path.name}.bz2", "wb", 9) as target:
        shutil.copyfileobj(plain, target, 1 << 20)


def _seven_zip(code: int, path: Path, folder: Path) -> None:
    archive = folder / f"stackoverflow.com-{path.stem}.7z"
    with py7zr.SevenZipFile(archive, "w", filters=[{"id": code}]) as target:
        target.write(path, path.name)


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=SIZES["XML"][-1], help="of Posts.xml")
    parser.add_argument("--form", nargs="+", choices=SIZES, default=["XML"], help="%(choices)s")
    options = parser.parse_args()
    found = measure_forms(options.megabytes, options.form)
    print(json.dumps([_facts(each) for each in found], indent=1))


def _facts(measured: Measured) -> dict[str, float | str]:
    return {
        "form": measured.form,
        "megabytes": round(measured.dump.bytes / MEGABYTE),
        "seconds": round(measured.seconds, 1),
        "cpu_seconds": round(measured.cpu_seconds, 1),
        "peak_megabytes": round(measured.peak_megabytes),
    }


if __name__ == "__main__":
    main()
