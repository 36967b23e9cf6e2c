"""Baselines rank as they say, learn nothing from what they must not, and give way where they must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from services.faq.evaluation.baselines.all import predecessor_baseline, simple_baselines
from services.faq.evaluation.baselines.baseline import Baseline, KnownText, known_text, plain
from services.faq.evaluation.baselines.linear import linear_svm
from services.faq.evaluation.baselines.predecessor import PredecessorPipeline, predecessor
from services.faq.evaluation.baselines.simple import (
    largest_class,
    nearest_neighbour,
    plain_cosine,
)
from services.faq.evaluation.comparison import compare
from services.faq.evaluation.questions import HeldOut
from services.faq.text import CleanText
from tests.services.faq.conftest import Small

KNOWN = KnownText(
    originals=["sort an array of numbers", "read a file line by line", "wait for a promise"],
    duplicates=["put figures in order", "get text out of a document", "open text, one row each"],
    owners=np.asarray([0, 1, 1]),
)
EMPTY = KnownText(["", ""], ["", ""], np.asarray([0, 1]))


def first(baseline: Baseline | None, text: str) -> int:
    assert baseline is not None
    return int(baseline.fit(KNOWN)([text])[0].argmax())


def test_the_largest_class_is_always_the_same_order() -> None:
    assert largest_class(KNOWN)(["anything", ""]).tolist() == [[1, 2, 0], [1, 2, 0]]


def test_plain_cosine_is_scikit_learn_s() -> None:
    asked = ["sort the numbers", "a promise to read"]
    vectors = TfidfVectorizer().fit(KNOWN.originals)
    expected = cosine_similarity(vectors.transform(asked), vectors.transform(KNOWN.originals))
    np.testing.assert_allclose(plain_cosine(KNOWN)(asked), expected)


def test_the_nearest_neighbour_is_the_best_of_an_original_and_its_duplicates() -> None:
    scores = nearest_neighbour(KNOWN)(["get text out of a document", "wait for a promise"])
    assert scores[0, 1] == pytest.approx(1)
    assert scores[1].tolist() == [scores[1, 0], scores[1, 1], pytest.approx(1)]


@pytest.mark.parametrize("text", ["put them in order", "text of a document", "promise, wait"])
def test_a_linear_classifier_learns_from_duplicates(text: str) -> None:
    expected = {"put them in order": 0, "text of a document": 1, "promise, wait": 2}[text]
    assert int(linear_svm(KNOWN)([text])[0].argmax()) == expected


def test_two_originals_have_a_margin_each() -> None:
    two = KnownText(KNOWN.originals[:2], KNOWN.duplicates, KNOWN.owners)
    scores = linear_svm(two)(["sort numbers", "read a document"])
    assert scores.argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("baseline", simple_baselines(0), ids=lambda each: each.key)
def test_texts_without_words_are_no_error(baseline: Baseline) -> None:
    assert baseline.fit(EMPTY)(["", "words"]).shape == (2, 2)


def test_all_are_given_the_text_that_names_no_original() -> None:
    assert plain(CleanText("Title", "prose", "code();")) == "Title prose"


def test_the_predecessor_s_pairs_are_one_right_and_others_wrong(questions: HeldOut) -> None:
    pipeline = PredecessorPipeline(
        [f"text {number}" for number in range(31)], trees=1, seed=0, threads=1
    )
    owners = questions.training.owners
    asked, known = pipeline._training_pairs(owners)
    assert len(asked) == 20 * len(owners)
    for number in (0, 17):
        pairs = known[asked == number]
        assert pairs[0] == owners[number]
        assert len(set(pairs)) == 20


def test_the_predecessor_learns_and_its_scores_are_probabilities(small: Small) -> None:
    texts = [plain(duplicate.text) for duplicate in small.data.duplicates]
    known = KnownText([plain(each.text) for each in small.data.originals], texts, small.data.owners)
    grown: list[None] = []
    score = predecessor(known, trees=60, seed=0, threads=1, tree_done=lambda: grown.append(None))
    scores = score(texts[:50])
    assert len(grown) == 60
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (scores.argmax(axis=1) == small.data.owners[:50]).mean() > 5 / 31


def test_the_predecessor_scores_pair_by_pair_what_it_scores_at_once(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [plain(duplicate.text).lower() for duplicate in small.data.duplicates]
    originals = [plain(original.text).lower() for original in small.data.originals]
    pipeline = PredecessorPipeline(originals, trees=5, seed=0, threads=1)
    pipeline.fit(texts, small.data.owners)
    at_once = pipeline.probabilities(texts[:7])
    monkeypatch.setattr("services.faq.evaluation.baselines.predecessor._MOST_PAIRS", 62)
    np.testing.assert_array_equal(at_once, pipeline.probabilities(texts[:7]))


def test_a_baseline_that_is_too_large_for_the_data_says_so(
    small: Small, questions: HeldOut
) -> None:
    too_large = replace(simple_baselines(0)[0], most_originals=30)
    too_slow = replace(simple_baselines(0)[1], most_scores=31 * 49)
    results = compare(small.trained.scorer, questions, [too_large, too_slow], 0).results[1:]
    assert [result.outcomes for result in results] == [None, None]
    assert results[0].note == "not fitted: 31 originals are more than 30"
    assert results[1].note == "not asked: a question takes too long with 31 originals"


def test_a_baseline_that_would_read_too_much_text_says_so(small: Small, questions: HeldOut) -> None:
    known = known_text(questions.training)
    characters = sum(map(len, [*known.originals, *known.duplicates]))
    fits, too_large = (
        replace(simple_baselines(0)[1], most_characters=most)
        for most in (characters, characters - 1)
    )
    results = compare(small.trained.scorer, questions, [fits, too_large], 0).results[1:]
    assert [result.outcomes is None for result in results] == [False, True]
    assert results[1].note == (
        f"not fitted: {characters:,} characters of text are more than {characters - 1:,}"
    )


def test_a_baseline_that_reads_the_originals_alone_is_bounded_by_those(
    small: Small, questions: HeldOut
) -> None:
    characters = sum(map(len, known_text(questions.training).originals))
    plain_cosine = next(each for each in simple_baselines(0) if each.key == "tfidf_cosine")
    assert not replace(plain_cosine, most_characters=characters).not_fitted(questions.training)
    too_large = replace(plain_cosine, most_characters=characters - 1)
    assert too_large.not_fitted(questions.training).startswith(f"not fitted: {characters:,} ")


def test_what_grows_with_the_text_is_bounded_by_it() -> None:
    """Or a training of a million questions ends in a comparison that no memory bears."""
    limits = {each.key: each.most_characters for each in simple_baselines(0)}
    assert limits["nearest_neighbour"] is not None
    assert limits["tfidf_cosine"] is not None


def test_the_nearest_are_the_same_however_many_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ["get text out of a document", "wait for a promise", "put figures in order"]
    at_once = nearest_neighbour(KNOWN)(asked)
    monkeypatch.setattr("services.faq.evaluation.baselines.simple._MOST_SIMILARITIES", 7)
    np.testing.assert_array_equal(at_once, nearest_neighbour(KNOWN)(asked))


def test_a_slow_baseline_is_asked_a_sample(small: Small, questions: HeldOut) -> None:
    slow = replace(simple_baselines(0)[2], most_scores=31 * 55)
    comparison = compare(small.trained.scorer, questions, [slow], 0)
    result = comparison.results[1]
    assert result.outcomes is not None
    assert (len(result.asked), len(result.outcomes)) == (55, 55)
    assert result.note == "asked 55 of the questions"
    np.testing.assert_array_equal(result.outcomes.owners, questions.owners[result.asked])
    assert "tfidf_cosine" in comparison.differences()


def test_the_predecessor_says_how_many_trees_it_has() -> None:
    assert (
        predecessor_baseline(0, 40).note
        == "40 trees, 20 pairs for each of at most 20,000 duplicates"
    )
    assert predecessor_baseline(0).note.startswith("8,000 trees")
