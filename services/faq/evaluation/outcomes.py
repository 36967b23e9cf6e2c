"""What a matcher did with each question: everything that the figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.classifier import Float64s
from services.faq.ranking import Ranking

NO_MATCH: Final = -1
"""Owner of a question that repeats none of the originals."""
SMALLEST: Final = 1e-12
"""Smallest probability that a logarithm is taken of."""

_MOST_SCORES: Final = 1 << 22
"""Most scores (questions times originals) that are held at once."""


@dataclass(frozen=True)
class Outcomes:
    """One value for each question, in the order in which they were asked.

    Probabilities count only where `is_probability` says that scores are some.
    """

    owners: NDArray[np.int64]
    """Position of the right original, or `NO_MATCH`."""
    ranks: Float64s
    """Rank of the right original, 1 is first; a matcher that lists only candidates, and not the
    right one, has it in the middle of the ranks that are left. NaN where there is no right one."""
    listed: NDArray[np.bool_]
    """Whether the right original was among those that the matcher scored."""
    best_scores: Float64s
    """Score of the first place."""
    pairs: NDArray[np.int64]
    """How many originals were scored."""
    pair_losses: Float64s
    """Sum over those of -ln(probability that was given to what is true)."""
    pair_squares: Float64s
    """Sum over those of (probability - truth)²."""
    low_signal: NDArray[np.bool_]
    """Whether the matcher said not to rely on it."""
    is_probability: bool

    def __len__(self) -> int:
        return len(self.owners)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether the first place is the right original."""
        return self.ranks == 1

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Outcomes:
        """Return the outcomes of some of the questions."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {
            name: value[chosen] for name, value in values.items() if isinstance(value, np.ndarray)
        }
        return Outcomes(**{**values, **arrays})


def outcomes_of_rankings(
    rankings: Sequence[Ranking], owners: NDArray[np.int64], originals: int
) -> Outcomes:
    """Sum up the model's rankings, each of which lists candidates.

    Args:
        rankings: of at least one question.
        owners: position of the right original of each, or `NO_MATCH`.
        originals: how many originals the model knows.
    """
    hits = [
        np.flatnonzero(ranking.positions == owner)
        for ranking, owner in zip(rankings, owners, strict=True)
    ]
    pairs = np.asarray([len(ranking.positions) for ranking in rankings])
    found = np.asarray([len(hit) > 0 for hit in hits])
    ranks = np.where(
        found, [hit[0] + 1 if len(hit) else 0 for hit in hits], _middle(pairs, originals)
    )
    losses = [
        _pair_losses(ranking.scores, hit) for ranking, hit in zip(rankings, hits, strict=True)
    ]
    return Outcomes(
        owners=owners,
        ranks=np.where(owners == NO_MATCH, np.nan, ranks),
        listed=found,
        best_scores=np.asarray([ranking.scores[0] for ranking in rankings]),
        pairs=pairs,
        pair_losses=np.asarray([loss for loss, _ in losses]),
        pair_squares=np.asarray([square for _, square in losses]),
        low_signal=np.asarray([ranking.low_signal for ranking in rankings]),
        is_probability=True,
    )


def outcomes_of_scores(
    score: Callable[[Sequence[str]], Float64s],
    questions: Sequence[str],
    owners: NDArray[np.int64],
    originals: int,
    *,
    is_probability: bool = False,
) -> Outcomes:
    """Ask a matcher that scores every original; equal scores are ranked by position.

    Args:
        score: from texts to scores, float64 (texts, originals).
        questions: at least one.
        owners: position of the right original of each question, or `NO_MATCH`.
        originals: how many there are.
        is_probability: whether the scores are probabilities.
    """
    rows = max(1, _MOST_SCORES // originals)
    parts: list[Outcomes] = []
    for start in range(0, len(questions), rows):
        scores = score(questions[start : start + rows])
        parts.append(_scored(scores, owners[start : start + rows], is_probability))
    return joined(parts)


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the outcomes of several lots of questions, of the same matcher, as one."""
    values = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Outcomes)
        if field.name != "is_probability"
    }
    return Outcomes(**values, is_probability=parts[0].is_probability)


def _scored(scores: Float64s, owners: NDArray[np.int64], is_probability: bool) -> Outcomes:
    has_match = owners != NO_MATCH
    everyone = np.arange(len(owners))
    right = scores[everyone, np.where(has_match, owners, 0)][:, np.newaxis]
    positions = np.arange(scores.shape[1])
    before = (scores == right) & (positions < owners[:, np.newaxis])
    ranks = 1.0 + (scores > right).sum(axis=1) + before.sum(axis=1)
    truth = positions == owners[:, np.newaxis]
    likelihood = np.where(truth, scores, 1 - scores) if is_probability else np.ones_like(scores)
    return Outcomes(
        owners=owners,
        ranks=np.where(has_match, ranks, np.nan),
        listed=has_match,
        best_scores=scores.max(axis=1),
        pairs=np.full(len(owners), scores.shape[1]),
        pair_losses=-np.log(np.maximum(likelihood, SMALLEST)).sum(axis=1),
        pair_squares=((1 - likelihood) ** 2).sum(axis=1),
        low_signal=np.zeros(len(owners), bool),
        is_probability=is_probability,
    )


def _pair_losses(scores: Float64s, hit: NDArray[np.int64]) -> tuple[float, float]:
    likelihood = 1 - scores
    likelihood[hit] = scores[hit]
    loss = -np.log(np.maximum(likelihood, SMALLEST)).sum()
    return float(loss), float(((1 - likelihood) ** 2).sum())


def _middle(pairs: NDArray[np.int64], originals: int) -> Float64s:
    """Return the mean of the ranks that follow the candidates."""
    return (pairs + 1 + np.maximum(pairs + 1, originals)) / 2
