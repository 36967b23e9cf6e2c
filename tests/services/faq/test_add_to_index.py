"""Adding gives the index that building it from everything, in the same space, would have given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.faq.add_to_index import Added, add_to_index
from services.faq.build_index import build_part, index_of
from services.faq.index import LEARNT, SIGNALS, Index
from services.faq.known import Known
from services.faq.signals import candidates_of, compare
from services.faq.terms import Terms
from tests.services.faq.conftest import Small

EVERYONE = np.arange(31)


def built(index: Index, known: Known) -> Index:
    """Everything built in the space and the scale of another index, with topics as of many."""
    part = build_part(
        index.space, index.scale, known.part(0, len(known.originals)), with_topics=True
    )
    return index_of(index.space, None, index.scale, [part])


def only_originals(known: Known, chosen: np.ndarray) -> Known:
    """Some originals, ascending, and their duplicates."""
    kept = np.flatnonzero(np.isin(known.owners, chosen))
    return replace(
        known.with_only(kept),
        originals=known.originals.take(chosen),
        original_titles=known.original_titles.take(chosen),
        answers=known.answers.take(chosen),
        owners=np.searchsorted(chosen, known.owners[kept]),
    )


def without_originals(known: Known, duplicates: np.ndarray, owners: np.ndarray) -> Known:
    nobody = np.zeros(0, np.int64)
    return replace(only_originals(known, nobody), duplicates=known.duplicates.take(duplicates),
                   titles=known.titles.take(duplicates), owners=owners)  # fmt: skip


def signals_of(index: Index, texts: list[Terms]) -> np.ndarray:
    places = [index.space.place(text) for text in texts]
    return compare(index, places, candidates_of(index, places))


@settings(max_examples=12)
@given(
    old=st.sets(st.sampled_from(EVERYONE.tolist()), min_size=1),
    share=st.sampled_from([0, 0.3, 1]),
    seed=st.integers(0, 99),
)
def test_adding_is_building_from_everything_in_the_same_space(
    small: Small, old: set[int], share: float, seed: int
) -> None:
    """Whatever originals there were, and however many of their duplicates came later."""
    known = small.known
    space = small.trained.scorer.index
    before = np.asarray(sorted(old))
    new = np.setdiff1d(EVERYONE, before)
    is_later = np.random.default_rng(seed).random(len(known.owners)) < share
    is_old = np.isin(known.owners, before)
    first = only_originals(known.with_only(np.flatnonzero(~is_later | ~is_old)), before)
    later = np.flatnonzero(is_later & is_old)
    added = Added(
        new=only_originals(known, new),
        more=without_originals(known, later, np.searchsorted(before, known.owners[later])),
        order=np.argsort(np.concatenate((before, new)), kind="stable"),
    )
    extended = add_to_index(built(space, first), added)
    expected = built(space, known)
    questions = [known.titles[number] for number in range(0, len(known.owners), 40)]
    np.testing.assert_allclose(
        signals_of(extended, questions), signals_of(expected, questions), atol=2e-5
    )
    np.testing.assert_array_equal(extended.rows.owner_starts, expected.rows.owner_starts)
    np.testing.assert_array_equal(extended.postings.starts, expected.postings.starts)
    np.testing.assert_array_equal(extended.postings.owners, expected.postings.owners)


@pytest.fixture(scope="module")
def exchanged(small: Small) -> Index:
    """The trained index, but the first original was taken out and added again, as the last."""
    nothing = np.zeros(0, np.int64)
    added = Added(
        new=only_originals(small.known, np.asarray([0])),
        more=without_originals(small.known, nothing, nothing),
        order=np.arange(1, 32),
    )
    return add_to_index(small.trained.scorer.index, added)


@pytest.mark.parametrize("name", LEARNT)
def test_a_new_original_among_few_needs_no_fitting(
    name: str, exchanged: Index, small: Small
) -> None:
    """Its own questions are more typical of it than of any other, others' questions are not."""
    signal = signals_of(exchanged, list(small.known.duplicates))[SIGNALS.index(name)]
    own = small.known.owners == 0
    is_best = signal[:, -1] > signal[:, :-1].max(axis=1)
    assert is_best[own].mean() > 0.8
    assert is_best[~own].mean() < 0.1


def test_the_others_classifiers_stay(exchanged: Index, small: Small) -> None:
    before = small.trained.scorer.index.topics.weights
    np.testing.assert_array_equal(exchanged.topics.weights[:, :30], before[:, 1:])
