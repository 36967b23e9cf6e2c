"""A run that was cut off goes on where it was."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.peers.kept_run import STALE_SECONDS, KeptRun, Place
from benchmarks.peers.pairs import Pair
from tests.benchmarks.peers.conftest import Row

PLACE = Place("faq", "mosec", "tuned")


def test_a_row_is_found_again_as_it_was(tmp_path: Path, row: Row) -> None:
    measured = row("mosec", pairs=(Pair("c=1", "mosec", "tuned", 2.0, 1.0),))
    KeptRun(tmp_path / "run").keep(PLACE, measured)

    assert KeptRun(tmp_path / "run").find(PLACE) == measured
    assert KeptRun(tmp_path / "run").find(Place("faq", "mosec", "tuned", 2)) is None


def test_a_row_of_another_time_is_measured_again(tmp_path: Path, row: Row) -> None:
    kept = KeptRun(tmp_path)
    kept.keep(PLACE, row("mosec"))
    then = time.time() - STALE_SECONDS - 1
    os.utime(tmp_path / PLACE.file_name, (then, then))

    assert kept.find(PLACE) is None


def test_a_damaged_row_is_measured_again(tmp_path: Path, row: Row) -> None:
    (tmp_path / PLACE.file_name).write_text('{"cells": [')

    assert KeptRun(tmp_path).find(PLACE) is None


def test_nothing_is_left_of_a_run_that_is_complete(tmp_path: Path, row: Row) -> None:
    kept = KeptRun(tmp_path / "run")
    kept.keep(PLACE, row("mosec"))
    kept.forget()

    assert kept.find(PLACE) is None
