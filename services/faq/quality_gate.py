"""The gate that a model must pass before it is written."""

from __future__ import annotations

from services.faq.metrics import Accuracy


class QualityGateFailed(Exception):
    """The model is not good enough; the message says which figure and by how much."""


def check_quality(model: Accuracy, cosine: Accuracy, min_accuracy: float) -> None:
    """Refuse a model that is under the minimum, or plainly worse than TF-IDF cosine alone.

    Raises:
        QualityGateFailed: accuracy@1 is below `min_accuracy`, or not above that of the cosine minus
            its 95 % interval.
    """
    reached = model.accuracy_at_1
    if reached < min_accuracy:
        raise QualityGateFailed(
            f"accuracy@1 is {reached:.1%}, which is {min_accuracy - reached:.1%} below the minimum "
            f"of {min_accuracy:.1%} (--min-accuracy); no model was written"
        )
    if reached <= cosine.accuracy_at_1_low:
        raise QualityGateFailed(
            f"accuracy@1 is {reached:.1%}, which is {cosine.accuracy_at_1 - reached:.1%} below "
            f"plain TF-IDF cosine's {cosine.accuracy_at_1:.1%} (95 % interval from "
            f"{cosine.accuracy_at_1_low:.1%}); no model was written"
        )
