"""Arrays are written as NumPy writes them, and a full disk is told with its reason and place."""

from __future__ import annotations

import errno
import resource
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.faq import growing, terms
from services.faq.array_file import write_array
from services.faq.data import Duplicate
from services.faq.growing import GrowingArray
from services.faq.learnt_from import write_learnt
from services.faq.text import CleanText

LARGE = np.zeros(100_000, np.uint64)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """A limit on the size of files stands for the full disk: both fail in `write`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.arange(6, dtype=np.int64).reshape(2, 3).T,
        np.arange(6, dtype=np.int64)[::2],
        np.zeros((0, 2), np.int32),
    ],
)
def test_an_array_is_read_as_it_was_written(array: np.ndarray, tmp_path: Path) -> None:
    write_array(tmp_path / "array.npy", array)
    read = np.load(tmp_path / "array.npy", allow_pickle=False)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.usefixtures("full_disk")
def test_the_end_of_what_is_too_large_names_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A little that a buffer would hold until the file is closed."""
    monkeypatch.setattr(terms, "SPILLED_ENTRIES", 1)
    parts = [LARGE[:8_187], LARGE[:100]]
    with pytest.raises(OSError, match="File too large") as failed:
        terms._kept(parts, 8_287, LARGE.dtype)
    assert failed.value.filename == tempfile.gettempdir()


def test_the_same_bytes_as_of_numpy(tmp_path: Path) -> None:
    array = np.arange(10, dtype=np.int64).reshape(5, 2)
    write_array(tmp_path / "ours.npy", array)
    np.save(tmp_path / "numpys.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpys.npy").read_bytes()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="File too large") as failed:
        write_array(tmp_path / "array.npy", LARGE)
    assert failed.value.filename == str(tmp_path / "array.npy")


@pytest.mark.usefixtures("full_disk")
def test_what_a_model_has_learnt_from_is_written_so(tmp_path: Path) -> None:
    text = CleanText("", "how to sort", "")
    with pytest.raises(OSError, match="File too large"):
        write_learnt(tmp_path, [Duplicate(1, 0, text, text)] * 10_000)


@pytest.mark.usefixtures("full_disk")
def test_what_is_too_large_for_memory_names_the_folder_of_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "SPILLED_ENTRIES", 1)
    monkeypatch.setattr(terms, "SPILLED_ENTRIES", 1)
    array = GrowingArray(np.uint64)
    counts = np.ones(len(LARGE), np.uint16)
    table = terms.table_of([terms.Terms(LARGE[:1], counts[:1])])
    large = terms.TermTable(table.begins, table.ends, LARGE, counts)
    for spill in (lambda: array.add(LARGE), lambda: terms.joined([large])):
        with pytest.raises(OSError) as failed:
            spill()
        assert failed.value.errno == errno.EFBIG
        assert failed.value.filename == tempfile.gettempdir()
