"""What grows by pieces is the pieces put together, wherever it is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, vstack

from services.faq import growing
from services.faq.growing import GrowingArray, GrowingRows
from services.faq.sparse_rows import TooManyTerms

pieces = st.lists(st.lists(st.integers(0, 1000), max_size=8), max_size=6)


@pytest.mark.parametrize("spilled", [1, 5, 1000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(added=pieces)
def test_an_array_is_its_pieces_in_memory_and_in_a_file(
    added: list[list[int]], spilled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "SPILLED_ENTRIES", spilled)
    array = GrowingArray(np.int32)
    for piece in added:
        array.add(np.asarray(piece, np.int64))
    assert len(array) == sum(map(len, added))
    whole = array.whole()
    assert type(whole) is np.ndarray
    assert whole.dtype == np.int32
    assert whole.tolist() == [number for piece in added for number in piece]


@pytest.mark.parametrize("spilled", [5, 1000])
def test_rows_are_put_one_below_the_other(spilled: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "SPILLED_ENTRIES", spilled)
    random = np.random.default_rng(0)
    parts = [csr_array(random.integers(0, 3, (rows, 7)).astype(np.float64)) for rows in (3, 0, 4)]
    growing_rows = GrowingRows(7)
    for part in parts:
        growing_rows.add(part)
    whole = growing_rows.whole()
    assert whole.shape == (7, 7)
    assert (whole.dtype, whole.indices.dtype, whole.indptr.dtype) == (
        np.float32,
        np.int32,
        np.int32,
    )
    np.testing.assert_array_equal(whole.toarray(), vstack(parts).toarray())


def test_rows_with_more_entries_than_a_model_can_hold_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "MOST_ENTRIES", 5)
    rows = GrowingRows(3)
    rows.add(csr_array(np.ones((1, 3))))
    rows.add(csr_array(np.eye(2, 3)))
    with pytest.raises(TooManyTerms, match="leave some out"):
        rows.add(csr_array(np.eye(1, 3)))
