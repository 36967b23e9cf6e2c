"""Held-out figures of a model, beside those of two baselines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from services.faq.baselines import largest_class, plain_cosine
from services.faq.data import DataSet
from services.faq.known import Known
from services.faq.metrics import Accuracy, Calibration, accuracy, calibration, places_of
from services.faq.ranking import Scorer
from services.faq.split import Positions, Split


@dataclass(frozen=True)
class Evaluation:
    """What a model reaches on questions it was not trained on."""

    accuracy: Accuracy
    calibration: Calibration
    cosine: Accuracy
    """Plain TF-IDF cosine with the originals."""
    largest_class: Accuracy
    """Always the original with the most training duplicates."""

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON has them."""
        return {
            **asdict(self.accuracy),
            **asdict(self.calibration),
            "baselines": {
                "tfidf_cosine": asdict(self.cosine),
                "largest_class": asdict(self.largest_class),
            },
        }


def evaluate(scorer: Scorer, data: DataSet, known: Known, split: Split) -> Evaluation:
    """Rank the originals for every held-out duplicate, of which there must be at least one."""
    owners = known.owners[split.held_out]
    rankings = scorer.rank([known.duplicates[number] for number in split.held_out])
    ranked = [ranking.positions for ranking in rankings]
    return Evaluation(
        accuracy=accuracy(places_of(ranked, owners, len(data.originals)), owners),
        calibration=calibration(rankings, owners),
        cosine=cosine_of(data, split.held_out),
        largest_class=largest_class(known.owners[split.training], owners, len(data.originals)),
    )


def cosine_of(data: DataSet, questions: Positions) -> Accuracy:
    """Return what plain TF-IDF cosine reaches on some of the duplicates."""
    return plain_cosine(
        [original.text for original in data.originals],
        [data.duplicates[number].text for number in questions],
        np.asarray(data.owners[questions]),
    )
