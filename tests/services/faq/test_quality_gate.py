"""The gate says which figure is not good enough and by how much, and nothing of a good model."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.evaluation.bootstrap import Estimate
from services.faq.evaluation.comparison import MODEL, Comparison, Result
from services.faq.evaluation.outcomes import Outcomes
from services.faq.evaluation.questions import HeldOut
from services.faq.golden import Miss
from services.faq.quality_gate import Limits, failures, golden_failures
from services.faq.served_model import ServedComparison
from tests.services.faq.evaluation.test_outcomes import scored

LIMITS = Limits(min_accuracy=0.3, max_calibration_error=0.1)


def outcomes(right: int, questions: int = 200, score: float | None = None) -> Outcomes:
    """The first questions are answered rightly, the others with the wrong one of two originals."""
    share = right / questions if score is None else score
    scores = np.tile([share, share / 2], (questions, 1))
    return scored(scores, [0 if number < right else 1 for number in range(questions)])


def compared(model: Outcomes, held_out: HeldOut, **baselines: Outcomes) -> Comparison:
    everything = np.arange(len(model))
    results = [
        Result(key, key.replace("_", " "), each, everything, 0.0)
        for key, each in {MODEL: model, **baselines}.items()
    ]
    return Comparison(held_out, model, results, 0)


@pytest.fixture
def ask(questions: HeldOut):
    def run(
        model: Outcomes, served: ServedComparison | None = None, **baselines: Outcomes
    ) -> list[str]:
        return failures(compared(model, questions, **baselines), LIMITS, served)

    return run


def test_nothing_speaks_against_a_good_model(ask) -> None:
    assert ask(outcomes(160), linear_svm=outcomes(120), largest_class=outcomes(20)) == []


def test_a_model_under_the_minimum_is_named_with_the_gap(ask) -> None:
    assert ask(outcomes(50)) == [
        "accuracy@1 is 25.0%, which is 5.0% below the minimum of 30.0% (--min-accuracy)"
    ]


def test_a_model_that_is_plainly_worse_than_a_baseline_is_named_with_the_difference(ask) -> None:
    found = ask(outcomes(100), linear_svm=outcomes(160))
    assert len(found) == 2
    assert found[0].startswith(
        "accuracy@1 is 30.0 points below that of the baseline 'linear svm' on the same 200 questions "
        "(95 % interval: 2"
    )
    assert found[1].startswith("mean reciprocal rank is 0.150 below")


def test_a_model_within_the_interval_of_a_baseline_passes(ask) -> None:
    """Neither is right where the other is wrong, so both are known no better than each alone."""
    other = outcomes(100)
    turned = other.only(np.arange(len(other))[::-1])
    assert ask(outcomes(95), linear_svm=turned) == []


def test_a_small_loss_on_the_same_questions_is_seen(ask) -> None:
    """Eight of two hundred: far within the interval of either accuracy, but plain side by side."""
    found = ask(outcomes(140), linear_svm=outcomes(148))
    assert [each.split(" below")[0] for each in found] == [
        "accuracy@1 is 4.0 points",
        "mean reciprocal rank is 0.020",
    ]


def test_a_model_that_is_no_better_than_always_the_same_answers_is_refused(ask) -> None:
    found = ask(outcomes(80), largest_class=outcomes(80))
    assert len(found) == 1
    assert "not plainly better than that of the same answers always" in found[0]


def test_with_few_questions_being_better_is_enough(ask) -> None:
    few = outcomes(4, 6, 0.7)
    assert ask(few, largest_class=outcomes(3, 6)) == []
    assert len(ask(few, largest_class=outcomes(4, 6))) == 1


def test_bad_calibration_is_named_beside_what_chance_makes(ask) -> None:
    found = ask(outcomes(100, score=0.9))
    assert len(found) == 1
    assert found[0].startswith(
        "calibration error is 40.0%, which is 30.0% above the maximum of 10.0%"
    )


def test_a_gap_that_chance_may_make_passes(ask) -> None:
    assert ask(outcomes(7, 10, 0.55)) == []


def served(difference: float, low: float, high: float) -> ServedComparison:
    estimate = Estimate(difference, low, high)
    even = Estimate(0, -0.1, 0.1)
    differences = {"accuracy_at_1": estimate, "mean_reciprocal_rank": even, "accuracy_at_3": even}
    return ServedComparison("v7", 180, differences, 0.8)


def test_a_model_that_is_plainly_worse_than_the_one_in_place_is_refused(ask) -> None:
    assert ask(outcomes(160), served(-0.05, -0.08, -0.02)) == [
        "accuracy@1 is 5.0 points below that of the model in place (v7) on the same 180 questions "
        "(95 % interval: 2.0 points to 8.0 points)"
    ]


def test_a_model_that_may_be_as_good_as_the_one_in_place_passes(ask) -> None:
    assert ask(outcomes(160), served(-0.05, -0.12, 0.01)) == []
    assert ask(outcomes(160), ServedComparison("v7", 0, None, None, "not asked")) == []


def test_changed_golden_answers_are_counted_and_the_first_are_named() -> None:
    missed = [Miss(number, 70 + number, 1, 4) for number in range(1, 6)]
    assert golden_failures(missed, 9) == [
        "5 of 9 golden questions changed (line 1: original 71 is at place 4, not among the first 1; "
        "line 2: original 72 is at place 4, not among the first 1; line 3: original 73 is at place "
        "4, not among the first 1; and 2 more)"
    ]
    assert golden_failures([], 9) == []
