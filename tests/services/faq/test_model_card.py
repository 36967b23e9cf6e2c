"""The model card says what a model is, for whoever has only its folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from services.faq.evaluation.baselines.all import simple_baselines
from services.faq.evaluation.bootstrap import Estimate
from services.faq.evaluation.comparison import compare
from services.faq.evaluation.questions import HeldOut
from services.faq.golden import GoldenSet
from services.faq.model_card import EVERYTHING, Verdict, card, card_details, split_details
from services.faq.quality_gate import Limits
from services.faq.served_model import ServedComparison
from services.faq.split import Split
from services.faq.split_kind import SplitKind
from tests.services.faq.conftest import Small

PASSED = Verdict([], "", Limits(0.3, 0.1), None, None)


@pytest.fixture(scope="module")
def details(small: Small, questions: HeldOut) -> dict:
    too_large = replace(simple_baselines(0)[0], most_originals=30)
    comparison = compare(small.trained.scorer, questions, [too_large, simple_baselines(0)[2]], 0)
    split = split_details(small.split, 0.2, 0, len(questions.asked))
    return card_details(small.data, split, {"seed": 0}, EVERYTHING, comparison, PASSED)


def test_a_card_names_the_data_the_split_the_figures_and_the_versions(
    details: dict, small: Small
) -> None:
    text = card("faq", "1.2", details)
    assert text.startswith("# faq 1.2\n")
    assert small.data.sha256 in text
    assert "Held out: 62 duplicates (20% of each original's duplicates; seed 0)" in text
    assert "Learnt from: everything; the figures are those of a model that had not" in text
    assert "| linear SVM | not fitted: 31 originals are more than 30 |" in text
    figures = details["evaluation"]["matchers"]["tfidf_cosine"]["figures"]
    assert f"| TF-IDF cosine | {figures['accuracy_at_1']['value']:.1%} (" in text
    assert f"numpy {np.__version__}" in text


def test_a_card_tells_of_an_overruled_gate_and_of_the_model_before(details: dict) -> None:
    at_1 = Estimate(-0.05, -0.08, -0.02)
    served = ServedComparison("v7", 55, {"accuracy_at_1": at_1}, 0.6)
    verdict = Verdict(["too bad"], "known", Limits(0, 1), served, GoldenSet([], "abc"))
    text = card("faq", "1", {**details, "gate": verdict.document()})
    assert "**Not passed**, overruled because: known\n\n- too bad" in text
    assert "(v7), on 55 questions: accuracy@1 -5.0 points (-8.0 to -2.0)" in text
    assert "Golden set: 0 questions, SHA-256 `abc`" in text


def test_a_card_says_why_the_model_before_was_not_compared(details: dict) -> None:
    served = ServedComparison("v7", 3, None, None, "only 3 questions")
    verdict = replace(PASSED, served=served)
    text = card("faq", "1", {**details, "gate": verdict.document()})
    assert "The model in place before was not compared: only 3 questions." in text


def test_a_card_without_held_out_questions_says_that_nothing_is_known(details: dict) -> None:
    assert "how good the model is, is not known" in card(
        "faq", "1", {**details, "evaluation": None}
    )


@pytest.mark.parametrize(
    ("split", "how"),
    [
        (Split(np.arange(3), np.arange(1), SplitKind.OWN), "the data's own test part"),
        (
            Split(np.arange(3), np.arange(1), SplitKind.TIME, datetime(2020, 5, 1, tzinfo=UTC)),
            "all that were asked since 2020-05-01T00:00:00+00:00",
        ),
    ],
)
def test_a_split_is_told_in_words(split: Split, how: str) -> None:
    assert split_details(split, 0.2, 0, 1)["how"] == how
