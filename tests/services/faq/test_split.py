"""Splits are stratified, complete and decided by their seed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.faq.split import split_folds, split_holdout

owner_lists = st.lists(st.integers(0, 6), min_size=1, max_size=80).map(np.asarray)


@given(owner_lists, st.floats(0.01, 0.99), st.integers(0, 9))
def test_a_holdout_takes_a_share_of_each_original_and_never_all(
    owners: np.ndarray, share: float, seed: int
) -> None:
    split = split_holdout(owners, share, seed)
    assert sorted([*split.training, *split.held_out]) == list(range(len(owners)))
    for owner in np.unique(owners):
        count = int((owners == owner).sum())
        held_out = int((owners[split.held_out] == owner).sum())
        assert held_out == min(count - 1, max(1, round(share * count)))


@given(owner_lists, st.integers(2, 7), st.integers(0, 9))
def test_folds_share_out_each_original_evenly(owners: np.ndarray, count: int, seed: int) -> None:
    folds = split_folds(owners, count, seed)
    assert sorted(np.concatenate(folds)) == list(range(len(owners)))
    for owner in np.unique(owners):
        sizes = [int((owners[fold] == owner).sum()) for fold in folds]
        assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides() -> None:
    owners = np.repeat(np.arange(20), 10)
    first = split_holdout(owners, 0.2, 1)
    assert first.held_out.tolist() == split_holdout(owners, 0.2, 1).held_out.tolist()
    assert first.held_out.tolist() != split_holdout(owners, 0.2, 2).held_out.tolist()


def test_a_holdout_of_zero_trains_on_everything() -> None:
    split = split_holdout(np.asarray([0, 0, 1]), 0, 0)
    assert (split.training.tolist(), split.held_out.tolist()) == ([0, 1, 2], [])
