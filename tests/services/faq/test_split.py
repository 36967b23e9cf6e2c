"""Splits are stratified, complete and decided by their seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.data import DataSet, Duplicate, read_data
from services.faq.split import NoSuchSplit, SplitKind, split_data, split_folds, split_holdout
from services.faq.text import CleanText

FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
NO_TEXT = CleanText("", "", "")

owner_lists = st.lists(st.integers(0, 6), min_size=1, max_size=80).map(np.asarray)


@given(owner_lists, st.floats(0.01, 0.99), st.integers(0, 9))
def test_a_holdout_takes_a_share_of_each_original_and_never_all(
    owners: np.ndarray, share: float, seed: int
) -> None:
    split = split_holdout(owners, share, seed)
    assert sorted([*split.training, *split.held_out]) == list(range(len(owners)))
    for owner in np.flatnonzero(np.bincount(owners) > 1):
        count = int((owners == owner).sum())
        held_out = int((owners[split.held_out] == owner).sum())
        assert held_out == min(count - 1, max(1, round(share * count)))


@given(owner_lists, st.floats(0.01, 0.99), st.integers(0, 9))
def test_a_share_of_the_originals_with_one_duplicate_loses_it(
    owners: np.ndarray, share: float, seed: int
) -> None:
    split = split_holdout(owners, share, seed)
    single = np.flatnonzero(np.bincount(owners) == 1)
    assert np.isin(owners[split.held_out], single).sum() == round(share * len(single))


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


def data_of(
    owners: Sequence[int], *, days: Sequence[int | None] = (), parts: Sequence[str] = ()
) -> DataSet:
    duplicates = [Duplicate(number, owner, NO_TEXT, NO_TEXT) for number, owner in enumerate(owners)]
    for number, day in enumerate(days):
        created = None if day is None else FIRST_DAY + timedelta(days=day)
        duplicates[number] = replace(duplicates[number], created=created)
    for number, part in enumerate(parts):
        duplicates[number] = replace(duplicates[number], part=part)
    return DataSet([], duplicates, {}, "")


def test_the_latest_questions_are_held_out_where_all_have_dates() -> None:
    split = split_data(data_of([0, 0, 1, 1, 1], days=[9, 1, 8, 2, 3]), 0.4, 0)
    assert (split.kind, split.held_out.tolist()) == (SplitKind.TIME, [0, 2])
    assert split.since == FIRST_DAY + timedelta(days=8)


def test_questions_of_the_same_moment_are_on_the_same_side() -> None:
    split = split_data(data_of([0, 0, 1, 1], days=[5, 1, 5, 5]), 0.25, 0)
    assert split.held_out.tolist() == [0, 2, 3]


def test_one_question_without_a_date_makes_the_split_stratified() -> None:
    data = data_of([0, 0, 1, 1], days=[1, 2, 3, None])
    split = split_data(data, 0.5, 0)
    assert split.kind is SplitKind.STRATIFIED
    assert data.owners[split.held_out].tolist() == [0, 1]


def test_a_data_set_s_own_split_comes_first() -> None:
    parts = ["train", "test", "validation", "test"]
    split = split_data(data_of([0, 0, 1, 1], days=[1, 2, 3, 4], parts=parts), 0.2, 0)
    assert (split.kind, split.held_out.tolist()) == (SplitKind.OWN, [1, 3])


@pytest.mark.parametrize("kind", list(SplitKind))
def test_a_share_of_zero_holds_out_nothing_however_it_is_split(kind: SplitKind) -> None:
    split = split_data(data_of([0, 0], days=[1, 2], parts=["test", "train"]), 0, 0, kind)
    assert (split.training.tolist(), split.held_out.tolist()) == ([0, 1], [])


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (data_of([0, 0], days=[1, None]), SplitKind.TIME, "1 of its 2 duplicates have no date"),
        (data_of([0, 0], days=[1, 1]), SplitKind.TIME, "all dates are the same"),
        (data_of([0, 0]), SplitKind.OWN, "none of its 2 duplicates are in the part 'test'"),
        (data_of([0], parts=["test"]), SplitKind.OWN, "all of its 1 duplicates"),
    ],
)
def test_a_split_that_the_data_does_not_allow_is_refused(
    data: DataSet, kind: SplitKind, message: str
) -> None:
    with pytest.raises(NoSuchSplit, match=message):
        split_data(data, 0.2, 0, kind)


def test_banking77_is_split_as_its_authors_did(banking77: Path) -> None:
    data = read_data(banking77)
    split = split_data(data, 0.2, 0)
    assert split.kind is SplitKind.OWN
    assert len(split.held_out) > 3000
    assert len(np.unique(data.owners[split.held_out])) == 77
