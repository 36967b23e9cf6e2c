"""Trained models reach what they should, on the repository's corpus and on published data."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.data import read_data
from services.faq.evaluation.baselines.all import simple_baselines
from services.faq.evaluation.comparison import compare
from services.faq.evaluation.questions import held_out
from services.faq.split import split_data
from services.faq.training_run import train_on
from services.serving.model_folder import read_model_folder


@pytest.mark.slow
def test_the_model_of_the_corpus_is_better_than_its_baselines(trained_faq_folder: Path) -> None:
    evaluation = read_model_folder(trained_faq_folder, kind="faq").details["evaluation"]
    figures = evaluation["matchers"]["model"]["figures"]
    for key in ("linear_svm", "nearest_neighbour", "tfidf_cosine"):
        assert evaluation["differences"][key]["accuracy_at_1"]["low"] > 0.05
    assert figures["accuracy_at_3"]["value"] > 0.6
    assert figures["expected_calibration_error"]["value"] < 0.15


@pytest.mark.slow
def test_the_model_of_banking77_is_accurate_and_calibrated(banking77: Path) -> None:
    data = read_data(banking77)
    questions = held_out(data, split_data(data, 0.2, 0), 0)
    scorer = train_on(questions.training, 0).scorer
    comparison = compare(scorer, questions, simple_baselines(0)[:2], 0)
    matchers = comparison.summary()["matchers"]
    at_1, at_3 = (
        {key: matcher["figures"][name]["value"] for key, matcher in matchers.items()}
        for name in ("accuracy_at_1", "accuracy_at_3")
    )
    assert at_1["model"] > 0.88
    assert matchers["model"]["figures"]["expected_calibration_error"]["value"] < 0.05
    # What others reach with the same text and split: the baselines are no straw men.
    assert at_1["linear_svm"] == pytest.approx(0.911, abs=0.003)
    assert at_3["linear_svm"] == pytest.approx(0.973, abs=0.003)
    assert at_1["nearest_neighbour"] == pytest.approx(0.799, abs=0.005)
    assert at_3["nearest_neighbour"] == pytest.approx(0.938, abs=0.005)
