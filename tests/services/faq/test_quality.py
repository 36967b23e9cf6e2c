"""Trained models reach what they should, on the repository's corpus and on published data."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.data import read_data
from services.faq.evaluation import evaluate
from services.faq.known import known_texts
from services.faq.split import split_holdout
from services.faq.training import train
from services.serving.model_folder import read_model_folder
from tests.services.faq.conftest import no_progress


@pytest.mark.slow
def test_the_model_of_the_corpus_is_better_than_its_baselines(trained_faq_folder: Path) -> None:
    figures = read_model_folder(trained_faq_folder, kind="faq").details["held_out"]
    baselines = figures["baselines"]
    assert figures["accuracy_at_1_low"] > baselines["tfidf_cosine"]["accuracy_at_1_high"]
    assert figures["accuracy_at_3"] > 0.6
    assert figures["expected_calibration_error"] < 0.15


@pytest.mark.slow
def test_the_model_of_banking77_is_accurate_and_calibrated(banking77: Path) -> None:
    data = read_data(banking77)
    known = known_texts(data)
    split = split_holdout(data.owners, 0.2, 0)
    scorer = train(known.with_only(split.training), 0, no_progress).scorer
    evaluation = evaluate(scorer, data, known, split)
    assert evaluation.accuracy.accuracy_at_1 > 0.88
    assert evaluation.calibration.expected_calibration_error < 0.05
