"""Training learns from what serving will see: nothing of a question is in the index that scores it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.faq.analysis import terms_of_posted
from services.faq.features import FEATURES
from services.faq.known import Known
from services.faq.ranking import pairs_of
from services.faq.split import split_folds
from services.faq.terms import Terms, table_of
from services.faq.training import (
    FOLDS,
    KEPT,
    TooLittleData,
    alike,
    out_of_fold,
    thinned,
    train,
)
from tests.services.faq.conftest import Small, no_progress


@pytest.fixture(scope="module")
def known(small: Small) -> Known:
    return small.known.with_only(small.split.training)


def with_text(known: Known, position: int, text: str) -> Known:
    duplicates = list(known.duplicates)
    duplicates[position] = terms_of_posted(text)
    return replace(known, duplicates=table_of(duplicates))


def test_what_a_duplicate_says_does_not_change_the_index_it_is_scored_with(known: Known) -> None:
    """The features of every other duplicate of its fold stay the same, whatever one of them says."""
    changed = with_text(known, 0, "completely other words: zebra quagga okapi")
    fold = next(each for each in split_folds(known.owners, FOLDS, 0) if 0 in each)
    before, after = out_of_fold(known, 0, no_progress), out_of_fold(changed, 0, no_progress)
    others = np.flatnonzero(np.isin(before.questions, fold[fold != 0]))
    np.testing.assert_array_equal(before.features[:, others], after.features[:, others])
    elsewhere = np.flatnonzero(~np.isin(before.questions, fold))
    assert (before.features[:, elsewhere] != after.features[:, elsewhere]).any()


def test_a_duplicates_own_text_does_not_raise_its_own_features(known: Known) -> None:
    """Words that only one duplicate has are unknown to the index that it is scored with."""
    unique = with_text(known, 0, "zebra quagga okapi zebra quagga okapi")
    held = out_of_fold(unique, 0, no_progress)
    own = (held.questions == 0) & held.is_whole
    best = FEATURES.index("duplicate_best")
    known_terms = FEATURES.index("known_terms")
    assert held.features[best, own].max() == 0
    assert held.features[known_terms, own].max() == 0


def test_every_duplicate_is_scored_once_with_its_own_original(known: Known) -> None:
    held = out_of_fold(known, 0, no_progress)
    held = held.only(~held.is_thinned)
    whole = held.questions[held.is_whole]
    assert sorted(whole) == list(range(len(known.duplicates)))
    np.testing.assert_array_equal(held.owners, known.owners[held.questions])


def test_some_are_asked_a_second_time_while_originals_have_few_duplicates_or_none(
    known: Known,
) -> None:
    held = out_of_fold(known, 0, no_progress)
    without = held.features[FEATURES.index("without_duplicates")]
    assert not without[~held.is_thinned].any()
    assert without[held.is_thinned].any()
    full = set(zip(held.questions[~held.is_thinned], held.is_whole[~held.is_thinned], strict=True))
    again = set(zip(held.questions[held.is_thinned], held.is_whole[held.is_thinned], strict=True))
    assert again < full
    assert held.is_alternative.all()


def test_every_second_original_is_thinned_out_to_few_duplicates() -> None:
    owners = np.random.default_rng(0).permutation(np.repeat(np.arange(200), 20))
    left = np.bincount(owners[thinned(owners, 0)], minlength=200)
    assert set(left) == {*KEPT, 20}
    assert 70 < (left < 20).sum() < 130


def test_originals_with_fewer_duplicates_than_are_kept_keep_them() -> None:
    owners = np.repeat(np.arange(100), 2)
    left = np.bincount(owners[thinned(owners, 0)], minlength=100)
    assert set(left) == {0, 1, 2}


@pytest.mark.parametrize("duplicates", range(1, 13))
def test_counts_of_duplicates_do_not_tell_which_original_is_asked_about(duplicates: int) -> None:
    """With up to twice as many duplicates as folds, every original loses as many as those asked about."""
    owners = np.random.default_rng(0).permutation(np.repeat(np.arange(50), duplicates))
    for number, fold in enumerate(split_folds(owners, FOLDS, 0)):
        kept = alike(owners, fold, number)
        assert not np.isin(kept, fold).any()
        left = np.bincount(owners[kept], minlength=50)
        asked = np.unique(owners[fold])
        others = np.setdiff1d(np.arange(50), asked)
        if duplicates <= FOLDS:
            assert set(left) == {duplicates - 1}
        else:
            assert left[asked].mean() > duplicates - 3
            assert not len(others)


def test_one_duplicate_for_each_original_is_learnt_to_be_trusted(small: Small) -> None:
    """The model finds more with it than the best single view does, which is what it is given."""
    known = small.known.with_only(small.split.training)
    first = np.unique(known.owners, return_index=True)[1]
    scorer = train(known.with_only(first), 0, no_progress).scorer
    held = small.split.held_out
    rankings = scorer.rank([small.known.duplicates[each] for each in held])
    right = np.asarray([ranking.positions[0] for ranking in rankings]) == small.known.owners[held]
    pairs = pairs_of(scorer.index, [small.known.duplicates[each] for each in held])
    nearest = pairs.features[FEATURES.index("view_best")].argmax(axis=1) == small.known.owners[held]
    assert right.mean() >= nearest.mean()


def bare_half(small: Small) -> tuple[Known, NDArray[np.bool_]]:
    """Every second original has lost its duplicates; and which."""
    known = small.known.with_only(small.split.training)
    is_bare = np.arange(len(known.originals)) % 2 == 1
    return known.with_only(np.flatnonzero(~is_bare[known.owners])), is_bare


def test_what_has_no_duplicate_in_the_data_is_no_alternative_but_what_is_thinned_out_is(
    small: Small,
) -> None:
    known, is_bare = bare_half(small)
    held = out_of_fold(known, 0, no_progress)
    np.testing.assert_array_equal(held.is_alternative, ~is_bare[held.candidates])
    without = held.features[FEATURES.index("without_duplicates")] > 0
    assert (without & held.is_alternative & held.is_match).any()


def test_originals_without_duplicates_are_found_beside_others_that_have_some(small: Small) -> None:
    """Nobody asks about them in training; still more of them are found than by their words alone."""
    known, is_bare = bare_half(small)
    scorer = train(known, 0, no_progress).scorer
    asked = small.split.held_out[is_bare[small.known.owners[small.split.held_out]]]
    texts, owners = [small.known.duplicates[each] for each in asked], small.known.owners[asked]
    first = np.asarray([ranking.positions[0] for ranking in scorer.rank(texts)])
    words = pairs_of(scorer.index, texts).features[FEATURES.index("word")].argmax(axis=1)
    assert (first == owners).mean() > (words == owners).mean()


def test_the_same_texts_and_seed_give_the_same_model(known: Known, small: Small) -> None:
    again = train(known, 0, no_progress).scorer
    first = small.trained.scorer
    np.testing.assert_array_equal(first.classifier.weights, again.classifier.weights)
    np.testing.assert_array_equal(first.index.topics.weights, again.index.topics.weights)
    assert first.low_signal_below == again.low_signal_below
    assert again.low_signal_below != train(known, 1, no_progress).scorer.low_signal_below


def test_the_model_beats_chance_by_far(small: Small) -> None:
    assert small.trained.cross_validated.accuracy_at_1 > 10 / 31


def known_of(originals: list[Terms], duplicates: list[Terms]) -> Known:
    """Originals that are their own titles and answers, and duplicates that take turns."""
    texts, asked = table_of(originals), table_of(duplicates)
    owners = np.arange(len(duplicates)) % len(originals)
    return Known(texts, texts, texts, asked, asked, owners)


@pytest.mark.parametrize(("originals", "duplicates"), [(1, 20), (2, 9)])
def test_too_few_questions_are_refused(originals: int, duplicates: int) -> None:
    text = terms_of_posted("how to sort")
    few = known_of([text] * originals, [text] * duplicates)
    with pytest.raises(TooLittleData, match="are too few"):
        train(few, 0, no_progress)


def test_two_originals_are_enough() -> None:
    texts = ["sort an array by number", "read a file line by line"]
    terms = [terms_of_posted(text) for text in texts]
    asked = [
        terms_of_posted(f"{text} {word}")
        for word in ("please", "quickly", "in node", "how", "best", "now")
        for text in texts
    ]
    known = known_of(terms, asked)
    ranking = train(known, 0, no_progress).scorer.rank([terms_of_posted("read my file")])[0]
    assert ranking.positions.tolist() == [1, 0]
