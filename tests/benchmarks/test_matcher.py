"""Each variant of the matcher's second stage differs from the served one in what its name says alone."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.matcher import VARIANTS
from services.faq.features import pair_features
from services.faq.fit_classifier import fit_classifier
from services.faq.index import SIGNALS
from services.faq.training import OutOfFold

QUESTIONS, CANDIDATES = 40, 6


@pytest.fixture
def held() -> OutOfFold:
    """Questions of which every fourth has no match among the candidates, and a few were thinned out."""
    random = np.random.default_rng(0)
    candidates = np.tile(np.arange(CANDIDATES), (QUESTIONS, 1))
    owners = random.integers(0, CANDIDATES, QUESTIONS)
    owners[::4] = CANDIDATES
    signals = random.random((len(SIGNALS), QUESTIONS, CANDIDATES), np.float32)
    signals[SIGNALS.index("word")] += candidates == owners[:, np.newaxis]
    return OutOfFold(
        features=pair_features(signals, np.full(QUESTIONS, 5)),
        candidates=candidates,
        is_alternative=np.ones(candidates.shape, bool),
        questions=np.arange(QUESTIONS),
        owners=owners,
        is_whole=np.ones(QUESTIONS, bool),
        is_thinned=np.arange(QUESTIONS) % 5 == 0,
    )


@pytest.mark.parametrize(
    ("name", "thinned"), [("not calibrated afterwards", True), ("never thinned out", False)]
)
def test_questions_without_a_match_are_learnt_from_as_in_training(
    held: OutOfFold, name: str, thinned: bool
) -> None:
    [variant] = [each for each in VARIANTS if each.name == name]
    learnt = held if thinned else held.only(~held.is_thinned)
    expected = fit_classifier(learnt.features, learnt.is_match, learnt.is_alternative)
    np.testing.assert_array_equal(
        variant.fit(held)(held.features), expected.probabilities(held.features)
    )
