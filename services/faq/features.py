"""The features of a pair (posted question, original), which the second stage reads."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.index import SIGNALS
from services.faq.space import Float32s

COMPARED: Final = (
    "word",
    "character",
    "code",
    "answer_word",
    "duplicate_mean",
    "view_best",
    "family_word",
    "family_character",
    "topic",
    "network",
)
"""Signals that are also compared with what the other candidates have."""

COUNTED: Final = ("word", "duplicate_mean", "family_word", "topic", "network")
"""Signals that are also there times `duplicates`: with more known ones, they say more."""

FEATURES: Final = (
    *SIGNALS,
    *(f"{name}_margin" for name in COMPARED),
    *(f"{name}_rank" for name in COMPARED),
    *(f"{name}_margin_by_known_terms" for name in COMPARED),
    *(f"{name}_rank_by_known_terms" for name in COMPARED),
    *(f"{name}_by_duplicates" for name in COUNTED),
    "known_terms",
)
"""Names of the features, in the order of the first axis of `pair_features`."""

_COUNTED_PLACES: Final = [SIGNALS.index(name) for name in COUNTED]
_DUPLICATES: Final = SIGNALS.index("duplicates")
_COMPARED_PLACES: Final = [SIGNALS.index(name) for name in COMPARED]


def pair_features(signals: Float32s, known: NDArray[np.int64]) -> Float32s:
    """Return the features of each pair.

    A margin is the signal minus the best that any other candidate has; a rank is ln(1 + number of
    candidates with a greater signal); known terms are ln(1 + number of known terms of the text).
    Margins and ranks are also there times known terms: of a longer text, they say more.

    Args:
        signals: float32 (len(SIGNALS), texts, candidates), from `compare`.
        known: number of different known terms of each text.

    Returns:
        float32 (len(FEATURES), texts, candidates).
    """
    return _with_relative(signals, np.log1p(known, dtype=np.float32))


def _with_relative(signals: Float32s, known_terms: Float32s) -> Float32s:
    compared = signals[_COMPARED_PLACES]
    ascending = np.sort(compared, axis=-1)
    relative = np.concatenate((_margins(compared, ascending), _ranks(compared, ascending)))
    known_terms = known_terms[:, np.newaxis]
    everywhere = np.broadcast_to(known_terms, (1, *signals.shape[1:]))
    counted = signals[_COUNTED_PLACES] * signals[_DUPLICATES]
    return np.concatenate((signals, relative, relative * known_terms, counted, everywhere))


def without_candidate(features: Float32s, places: NDArray[np.int64]) -> Float32s:
    """Return the features that the pairs would have if one candidate of each text were not there.

    Args:
        features: float32 (len(FEATURES), texts, candidates), of at least two candidates.
        places: place of the candidate of each text that goes.

    Returns:
        float32 (len(FEATURES), texts, candidates - 1).
    """
    _, texts, candidates = features.shape
    stays = np.arange(candidates) != places[:, np.newaxis]
    signals = features[: len(SIGNALS), stays].reshape(len(SIGNALS), texts, candidates - 1)
    return _with_relative(signals, features[-1, :, 0])


def _margins(signals: Float32s, ascending: Float32s) -> Float32s:
    if signals.shape[-1] == 1:
        return signals
    second, first = ascending[..., -2:-1], ascending[..., -1:]
    return signals - np.where(signals == first, second, first)


def _ranks(signals: Float32s, ascending: Float32s) -> Float32s:
    candidates = signals.shape[-1]
    greater = np.empty(signals.shape, np.float32)
    for place in np.ndindex(signals.shape[:-1]):
        greater[place] = candidates - np.searchsorted(ascending[place], signals[place], "right")
    return np.log1p(greater, out=greater)
