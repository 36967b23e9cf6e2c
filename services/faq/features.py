"""The features of a pair (posted question, original), which the second stage reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.index import MEANT, SIGNALS
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

MEANT_COMPARED: Final = ("meaning", "meaning_duplicate_mean", "meaning_view_best", "meaning_family")
"""Likewise compared, where the model has a sentence encoder."""

MEANT_COUNTED: Final = ("meaning_duplicate_mean", "meaning_family")


@dataclass(frozen=True)
class FeatureSet:
    """Which features a model has."""

    signals: tuple[str, ...]
    compared: tuple[str, ...]
    counted: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the first axis of `pair_features`."""
        return (
            *self.signals,
            *(f"{name}_margin" for name in self.compared),
            *(f"{name}_rank" for name in self.compared),
            *(f"{name}_margin_by_known_terms" for name in self.compared),
            *(f"{name}_rank_by_known_terms" for name in self.compared),
            *(f"{name}_by_duplicates" for name in self.counted),
            "known_terms",
        )

    @cached_property
    def compared_places(self) -> list[int]:
        """Which of the signals are compared."""
        return [self.signals.index(name) for name in self.compared]

    @cached_property
    def counted_places(self) -> list[int]:
        """Which of the signals are there times `duplicates`."""
        return [self.signals.index(name) for name in self.counted]


PLAIN: Final = FeatureSet(SIGNALS, COMPARED, COUNTED)
"""Of a model without a sentence encoder."""
WITH_MEANING: Final = FeatureSet(
    (*SIGNALS, *MEANT), (*COMPARED, *MEANT_COMPARED), (*COUNTED, *MEANT_COUNTED)
)
FEATURES: Final = PLAIN.names

_BY_SIGNALS: Final = {len(each.signals): each for each in (PLAIN, WITH_MEANING)}
_BY_FEATURES: Final = {len(each.names): each for each in (PLAIN, WITH_MEANING)}
_DUPLICATES: Final = SIGNALS.index("duplicates")


def pair_features(signals: Float32s, known: NDArray[np.int64]) -> Float32s:
    """Return the features of each pair.

    A margin is the signal minus the best that any other candidate has; a rank is ln(1 + number of
    candidates with a greater signal); known terms are ln(1 + number of known terms of the text).
    Margins and ranks are also there times known terms: of a longer text, they say more.

    Args:
        signals: float32 (signals, texts, candidates), from `compare`.
        known: number of different known terms of each text.

    Returns:
        float32 (features, texts, candidates), those of the `FeatureSet` with these signals.
    """
    return _with_relative(_BY_SIGNALS[len(signals)], signals, np.log1p(known, dtype=np.float32))


def _with_relative(kind: FeatureSet, signals: Float32s, known_terms: Float32s) -> Float32s:
    """Write each feature where it stays, in the order of `FeatureSet.names`.

    A batch has megabytes of them, too many to copy twice.
    """
    features = np.empty((len(kind.names), *signals.shape[1:]), np.float32)
    sizes = len(signals), len(kind.compared), len(kind.compared), 2 * len(kind.compared)
    copied, margins, ranks, by_known, rest = np.split(features, np.cumsum(sizes))
    relative = features[len(copied) : len(copied) + len(by_known)]
    copied[:] = signals
    _compare(signals[kind.compared_places], margins, ranks)
    np.multiply(relative, known_terms[:, np.newaxis], out=by_known)
    np.multiply(signals[kind.counted_places], signals[_DUPLICATES], out=rest[:-1])
    rest[-1] = known_terms[:, np.newaxis]
    return features


def without_candidate(features: Float32s, places: NDArray[np.int64]) -> Float32s:
    """Return the features that the pairs would have if one candidate of each text were not there.

    Args:
        features: float32 (features, texts, candidates), of at least two candidates.
        places: place of the candidate of each text that goes.

    Returns:
        float32 (features, texts, candidates - 1).
    """
    names, texts, candidates = features.shape
    kind = _BY_FEATURES[names]
    stays = np.arange(candidates) != places[:, np.newaxis]
    shape = (len(kind.signals), texts, candidates - 1)
    signals = features[: len(kind.signals), stays].reshape(shape)
    return _with_relative(kind, signals, features[-1, :, 0])


def _compare(signals: Float32s, margins: Float32s, ranks: Float32s) -> None:
    """Fill in how far each signal is from the best of the others, and ln(1 + its rank).

    Args:
        signals: float32 (signals, texts, candidates).
        margins: to be filled, of the same shape, as are the ranks.
    """
    candidates = signals.shape[-1]
    first_places = np.arange(0, signals.size, candidates)
    # Places in the flat array, which are found and filled sooner than those along an axis.
    order = np.argsort(-signals, axis=-1) + first_places.reshape(*signals.shape[:-1], 1)
    descending = np.take(signals, order)
    best = descending[..., :1]
    second = descending[..., 1:2] if candidates > 1 else 0
    np.subtract(signals, np.where(signals == best, second, best), out=margins)
    # A rank is the number of those before the first of equal ones, and grows with the places.
    logarithms = np.log1p(np.arange(candidates, dtype=np.float32))
    in_order = np.zeros_like(descending)
    is_less = descending[..., 1:] != descending[..., :-1]
    np.multiply(is_less, logarithms[1:], out=in_order[..., 1:])
    np.put(ranks, order, np.maximum.accumulate(in_order, axis=-1))
