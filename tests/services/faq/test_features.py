"""Margins and ranks compare an original with the others, as their definitions say."""

from __future__ import annotations

import numpy as np

from services.faq.features import COMPARED, COUNTED, FEATURES, pair_features, without_candidate
from services.faq.index import SIGNALS


def features_of(values: list[float], known: int = 3) -> dict[str, np.ndarray]:
    signals = np.tile(np.asarray(values, np.float32), (len(SIGNALS), 1, 1))
    features = pair_features(signals, np.asarray([known]))
    assert features.shape == (len(FEATURES), 1, len(values))
    assert features.dtype == np.float32
    return dict(zip(FEATURES, features[:, 0], strict=True))


def test_signals_are_features() -> None:
    features = features_of([0.5, 0.25])
    for name in SIGNALS:
        assert features[name].tolist() == [0.5, 0.25]


def test_a_margin_is_the_distance_to_the_best_other() -> None:
    features = features_of([0.5, 0.25, 0.125])
    for name in COMPARED:
        assert features[f"{name}_margin"].tolist() == [0.25, -0.25, -0.375]


def test_the_margin_of_two_equal_bests_is_zero() -> None:
    assert features_of([0.5, 0.5, 0.25])["word_margin"].tolist() == [0, 0, -0.25]


def test_a_rank_counts_the_originals_above() -> None:
    features = features_of([0.25, 0.5, 0.25, 0.125])
    np.testing.assert_allclose(features["topic_rank"], np.log1p([1, 0, 1, 3]), rtol=1e-6)


def test_known_terms_are_the_same_for_all_originals() -> None:
    np.testing.assert_allclose(features_of([0.5, 0.25], 7)["known_terms"], np.log1p([7, 7]))


def test_margins_and_ranks_are_weighted_by_known_terms() -> None:
    features = features_of([0.5, 0.25], 7)
    for name in COMPARED:
        for kind in ("margin", "rank"):
            np.testing.assert_allclose(
                features[f"{name}_{kind}_by_known_terms"],
                features[f"{name}_{kind}"] * np.log(8),
                rtol=1e-6,
            )


def test_signals_are_weighted_by_known_duplicates() -> None:
    features = features_of([0.5, 0.25])
    for name in COUNTED:
        assert features[f"{name}_by_duplicates"].tolist() == [0.25, 0.0625]


def test_features_without_a_candidate_are_those_of_the_others_alone() -> None:
    random = np.random.default_rng(0)
    signals = random.random((len(SIGNALS), 2, 4), np.float32)
    known = np.asarray([3, 9])
    rest = without_candidate(pair_features(signals, known), np.asarray([1, 3]))
    for text, others in enumerate([[0, 2, 3], [0, 1, 2]]):
        alone = pair_features(signals[:, text : text + 1, others], known[text : text + 1])
        np.testing.assert_allclose(rest[:, text], alone[:, 0], rtol=1e-6)


def test_a_single_original_has_itself_for_a_margin() -> None:
    assert features_of([0.5])["word_margin"].tolist() == [0.5]
