"""The scale benchmark keeps what was measured, and judges the size that was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale
from benchmarks.own_memory import OwnMemory
from benchmarks.scale import LARGEST, REQUIRED, SIZES, Measured
from benchmarks.scale_serving import Served
from benchmarks.synthetic import synthetic

SERVED = Served(
    load_seconds=1, cpu_p50=3, cpu_p99=6, wall_p50=4, wall_p99=9, resident=900, private=60
)
MEASURED = Measured(
    originals=REQUIRED, duplicates=1_000_000, train_seconds=600, train_cpu_seconds=900,
    train_megabytes=None, folder_megabytes=1_300, accuracy_at_1=0.9, accuracy_at_3=1, retrieved=1,
    agrees=1, exhaustive_questions=20, exhaustive_ms=400, served=SERVED, day="2026-01-02",
)  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which all usual sizes have been measured."""
    monkeypatch.setattr(scale, "KEPT", tmp_path)
    for size in SIZES:
        keep(tmp_path, replace(MEASURED, originals=size))
    return tmp_path


def keep(folder: Path, measured: Measured) -> None:
    of_size = folder / "scale" / str(measured.originals)
    of_size.mkdir(parents=True)
    (of_size / "measured.json").write_text(json.dumps(asdict(measured)))


def test_sizes_that_were_measured_are_not_measured_again(kept: Path) -> None:
    rows = scale.run().tables[0].rows
    assert [row[0] for row in rows] == ["100", "1,000", "10,000", "100,000"]
    assert [row[-2:] for row in rows] == [["–", "2026-01-02"]] * 4


def test_the_largest_size_is_a_row_where_it_was_measured(kept: Path) -> None:
    slow = replace(SERVED, cpu_p50=30, cpu_p99=80, resident=9_000)
    keep(kept, replace(MEASURED, originals=LARGEST, train_megabytes=12_345, served=slow))
    result = scale.run()
    assert result.tables[0].rows[-1][0] == "1,000,000"
    assert result.tables[0].rows[-1][-2] == "12,345"
    judged = {target.text: target for target in result.targets}
    assert judged["100,000 originals: p50 under 15 ms"].reached
    growth = judged["cost grows slower than the originals (1,000 to 1,000,000)"]
    assert (growth.figure, growth.reached) == ("10.0 times for 1000 times as many", True)


@pytest.mark.parametrize("mean", [1, 10])
def test_made_up_data_has_as_many_duplicates_as_asked_for(mean: int) -> None:
    made = synthetic(300, 5, mean)
    owners = made.data.owners
    assert len(made.data.originals) == 300
    assert len(owners) == 300 * mean
    assert np.bincount(owners).max() > 2 * mean
    assert len(made.questions) == 5


def test_the_peak_of_memory_is_that_of_what_was_done_meanwhile() -> None:
    with OwnMemory() as before:
        pass
    with OwnMemory() as memory:
        held = np.ones(30_000_000)
        memory.look()
    assert memory.peak_megabytes - before.peak_megabytes > held.nbytes / 1e6 / 2
