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
    compared = signals[kind.compared_places]
    order = np.argsort(compared, axis=-1)
    ascending = np.take_along_axis(compared, order, axis=-1)
    relative = np.concatenate((_margins(compared, ascending), _ranks(order, ascending)))
    known_terms = known_terms[:, np.newaxis]
    everywhere = np.broadcast_to(known_terms, (1, *signals.shape[1:]))
    counted = signals[kind.counted_places] * signals[_DUPLICATES]
    return np.concatenate((signals, relative, relative * known_terms, counted, everywhere))


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


def _margins(signals: Float32s, ascending: Float32s) -> Float32s:
    if signals.shape[-1] == 1:
        return signals
    second, first = ascending[..., -2:-1], ascending[..., -1:]
    return signals - np.where(signals == first, second, first)


def _ranks(order: NDArray[np.int64], ascending: Float32s) -> Float32s:
    """Return the ranks, given where each of the ascending signals is among the candidates."""
    candidates = ascending.shape[-1]
    places = np.full(ascending.shape, candidates)
    places[..., :-1] = np.where(
        ascending[..., 1:] != ascending[..., :-1], np.arange(1, candidates), candidates
    )
    not_greater = np.minimum.accumulate(places[..., ::-1], axis=-1)[..., ::-1]
    logarithms = np.log1p(np.arange(candidates, dtype=np.float32))
    ranks = np.empty(ascending.shape, np.float32)
    np.put_along_axis(ranks, order, logarithms[candidates - not_greater], axis=-1)
    return ranks
