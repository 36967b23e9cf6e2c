"""Rankings are sorted, finite and the same for the same question, whatever it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.faq.analysis import terms_of_posted
from services.faq.evaluation.figures import matcher_figures
from services.faq.evaluation.outcomes import outcomes_of_rankings
from services.faq.metrics import places_of
from services.faq.ranking import Ranking, Scorer, best_first
from tests.services.faq.conftest import Small


@pytest.fixture(scope="module")
def scorer(small: Small) -> Scorer:
    return small.trained.scorer


def rank(scorer: Scorer, text: str) -> Ranking:
    return scorer.rank([terms_of_posted(text)])[0]


WORDS = ["array", "sort", "map", "how", "===", "forEach()", "<p>", "null", "\x00", "ü", "数", "?"]
questions = (
    st.text(max_size=300)
    | st.lists(st.sampled_from(WORDS)).map(" ".join)
    | st.text(st.characters(categories=("Cs", "Cc", "Lo", "So")), max_size=50)
)


@settings(max_examples=60)
@given(questions)
def test_any_text_gives_finite_sorted_probabilities(small: Small, text: str) -> None:
    ranking = rank(small.trained.scorer, text)
    scores = ranking.scores
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores) <= 0).all()
    assert sorted(ranking.positions) == list(range(31))


@settings(max_examples=25)
@given(st.lists(questions, min_size=1, max_size=6))
def test_a_batch_scores_as_each_question_alone(small: Small, texts: list[str]) -> None:
    together = small.trained.scorer.rank([terms_of_posted(text) for text in texts])
    for text, ranking in zip(texts, together, strict=True):
        alone = rank(small.trained.scorer, text)
        np.testing.assert_array_equal(ranking.scores, alone.scores)
        np.testing.assert_array_equal(ranking.positions, alone.positions)
        assert ranking.low_signal == alone.low_signal


def test_a_large_batch_is_taken_in_pieces(scorer: Scorer, small: Small) -> None:
    texts = list(small.known.duplicates[:150])
    rankings = scorer.rank(texts)
    np.testing.assert_array_equal(rankings[149].scores, scorer.rank([texts[149]])[0].scores)


def test_an_empty_batch_is_empty(scorer: Scorer) -> None:
    assert scorer.rank([]) == []


@pytest.mark.parametrize("text", ["", "   ", "qqzx wvkj", "数组去重怎么做", "\ud800\x00", "🤷"])
def test_a_text_of_unknown_words_is_flagged_and_ranked_by_id(scorer: Scorer, text: str) -> None:
    ranking = rank(scorer, text)
    assert ranking.low_signal
    assert ranking.positions.tolist() == list(range(31))
    np.testing.assert_array_equal(ranking.scores, np.full(31, 1 / 31))


def test_equal_scores_are_ordered_by_id(scorer: Scorer) -> None:
    flat = replace(scorer.classifier, weights=np.zeros_like(scorer.classifier.weights))
    ranking = replace(scorer, classifier=flat).rank([terms_of_posted("sort an array")])[0]
    assert ranking.positions.tolist() == list(range(31))


def test_the_order_of_equal_scores_is_kept_among_many() -> None:
    scores = np.random.default_rng(0).integers(0, 3, (2, 5_000)).astype(float)
    for row, order in zip(scores, best_first(scores), strict=True):
        expected = sorted(range(5_000), key=lambda position: (-row[position], position))
        assert order.tolist() == expected


def test_a_best_score_under_the_threshold_is_flagged(scorer: Scorer) -> None:
    text = "How do I sort an array of numbers?"
    best = rank(scorer, text).scores.max()
    assert not rank(replace(scorer, low_signal_below=best), text).low_signal
    assert rank(replace(scorer, low_signal_below=best + 1e-9), text).low_signal


def test_sixty_four_thousand_characters_are_scored(scorer: Scorer) -> None:
    assert np.isfinite(rank(scorer, "sort an array " * 4_600).scores).all()


def test_an_original_asked_in_its_own_words_comes_first(scorer: Scorer, small: Small) -> None:
    texts = [f"{each.title}. {each.html}" for each in small.data.originals]
    rankings = scorer.rank([terms_of_posted(text) for text in texts])
    places = places_of([ranking.positions for ranking in rankings], np.arange(31), 31)
    assert (places == 0).mean() > 0.9


def test_one_word_is_not_a_sure_match(scorer: Scorer, small: Small) -> None:
    for word in ("array", "the", "function", "hello"):
        assert rank(scorer, word).scores.max() < 0.7


def test_probabilities_are_calibrated_on_held_out_questions(small: Small) -> None:
    held_out = small.split.held_out
    rankings = small.trained.scorer.rank([small.known.duplicates[each] for each in held_out])
    owners = small.known.owners[held_out]
    figures = matcher_figures(outcomes_of_rankings(rankings, owners, 31), 0)
    assert figures["expected_calibration_error"].value < 0.2
    scores = np.stack([ranking.scores for ranking in rankings])
    assert scores.sum() == pytest.approx(len(held_out), rel=0.25)
