"""The model and its baselines are asked the same, and compared question by question."""

from __future__ import annotations

import sys

import numpy as np
import orjson
import pytest

from services.faq.evaluation.baselines.all import predecessor_baseline, simple_baselines
from services.faq.evaluation.comparison import Comparison, compare, paired_differences
from services.faq.evaluation.questions import HeldOut
from tests.services.faq.conftest import Small
from tests.services.faq.evaluation.test_outcomes import scored


@pytest.fixture(scope="module")
def comparison(small: Small, questions: HeldOut) -> Comparison:
    return compare(small.trained.scorer, questions, simple_baselines(0), 0)


def test_every_matcher_is_asked_the_same_questions(
    comparison: Comparison, questions: HeldOut
) -> None:
    assert [result.key for result in comparison.results] == [
        "model", "linear_svm", "nearest_neighbour", "tfidf_cosine", "largest_class",
    ]  # fmt: skip
    for result in comparison.results:
        assert result.outcomes is not None
        np.testing.assert_array_equal(result.outcomes.owners, questions.owners)


def test_the_model_is_better_than_cosine_and_that_is_better_than_always_the_same(
    comparison: Comparison,
) -> None:
    differences = comparison.differences()
    assert differences["tfidf_cosine"]["accuracy_at_1"].low > 0
    assert differences["largest_class"]["mean_reciprocal_rank"].low > 0.3


def test_a_difference_is_that_of_the_two_figures(comparison: Comparison) -> None:
    matchers = comparison.document()["matchers"]
    for key, difference in comparison.differences().items():
        for name, estimate in difference.items():
            ours, theirs = (matchers[each]["figures"][name]["value"] for each in ("model", key))
            assert estimate.value == pytest.approx(ours - theirs)


def test_without_lightgbm_the_predecessors_pipeline_is_left_out_and_why_is_said(
    small: Small, questions: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the image is built: LightGBM wants the system's OpenMP, which slim images lack."""
    monkeypatch.delitem(sys.modules, "services.faq.evaluation.baselines.predecessor", raising=False)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    found = compare(small.trained.scorer, questions, [predecessor_baseline(0, 20)], 0)
    assert found.results[1].outcomes is None
    assert found.results[1].note.startswith("not fitted: LightGBM cannot be loaded (")
    assert "predecessor" not in found.differences()


def test_a_matcher_does_not_differ_from_itself() -> None:
    outcomes = scored(np.random.default_rng(0).random((40, 5)), [0] * 40)
    for estimate in paired_differences(outcomes, outcomes, 0).values():
        assert (estimate.low, estimate.value, estimate.high) == (0, 0, 0)


def test_groups_by_known_duplicates_hold_every_question_once(
    comparison: Comparison, questions: HeldOut
) -> None:
    groups = comparison.document()["by_known_duplicates"]
    counts = questions.known_duplicates
    sizes = {
        "none": (counts == 0).sum(),
        "one": (counts == 1).sum(),
        "few: 2 to 9": ((counts >= 2) & (counts <= 9)).sum(),
        "many: 10 or more": (counts >= 10).sum(),
    }
    assert {group["label"]: group["questions"] for group in groups} == {
        label: size for label, size in sizes.items() if size
    }
    at_1 = sum(
        group["questions"] * group["matchers"]["model"]["accuracy_at_1"]["value"]
        for group in groups
    )
    assert at_1 == pytest.approx(comparison.model.is_right.sum())


def test_the_document_is_json_and_the_same_each_time(
    comparison: Comparison, small: Small, questions: HeldOut
) -> None:
    again = compare(small.trained.scorer, questions, simple_baselines(0), 0)
    first, second = (orjson.dumps(each.summary()) for each in (comparison, again))
    assert first == second
    assert orjson.loads(orjson.dumps(comparison.document()))["coverage"].keys() == {
        result.key for result in comparison.results
    }


def test_only_probabilities_have_a_calibration(comparison: Comparison) -> None:
    document = comparison.document()
    assert list(document["reliability"]) == ["model"]
    assert "log_loss" not in document["matchers"]["linear_svm"]["figures"]
