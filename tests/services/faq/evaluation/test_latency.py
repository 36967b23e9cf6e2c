"""Latency is measured in a process that has loaded what serves, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.evaluation.latency import LatencyUnknown, measure_latency
from services.faq.storage import save_model
from services.faq.training_run import stored_model
from tests.services.faq.conftest import Small


@pytest.fixture
def folder(small: Small, tmp_path: Path) -> Path:
    save_model(stored_model(small.trained.scorer, small.data, ""), tmp_path)
    return tmp_path


def test_quantiles_are_in_order_and_memory_is_known(folder: Path) -> None:
    latency = measure_latency(folder, ["how do I sort an array", "läuft nicht 💥"] * 20)
    assert latency.questions == 40
    assert 0 < latency.p50_ms <= latency.p95_ms <= latency.p99_ms
    assert latency.load_seconds > 0
    assert latency.resident_mib is not None
    assert 20 < latency.resident_mib < 400


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LatencyUnknown) as error:
        measure_latency(tmp_path, ["how"])
    assert "\n" not in str(error.value)
    assert "cannot be read" in str(error.value)
