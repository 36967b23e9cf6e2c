"""The FAQ model as tensors: texts in, the best known questions of each out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from services.faq.api import LONGEST_QUESTION, MOST_MATCHES
from services.faq.ranking import Ranking
from services.faq.stored_originals import StoredOriginals
from services.serving.problem import Problem
from services.serving.protocols.signature import (
    RequestParameters,
    Tensor,
    TensorInterface,
    TensorSpec,
    bytes_array,
)

MOST_QUESTIONS: Final = 64
"""Largest batch of one request."""

INPUTS: Final = (TensorSpec("question", "BYTES", (-1, 1)),)
OUTPUTS: Final = (
    TensorSpec("question_id", "INT64", (-1, -1)),
    TensorSpec("answer_id", "INT64", (-1, -1)),
    TensorSpec("title", "BYTES", (-1, -1)),
    TensorSpec("score", "FP32", (-1, -1)),
    TensorSpec("low_signal", "BOOL", (-1, 1)),
)


class FaqParameters(RequestParameters):
    """How much to answer."""

    top_k: int = Field(10, ge=1, le=MOST_MATCHES, description="matches of each question")


def faq_tensors(
    originals: StoredOriginals,
    shown: Callable[[int, float], Mapping[str, object]],
    example: str,
) -> TensorInterface[str, Ranking]:
    """Describe the tensors; `shown` is a known question, by position, as JSON with its score.
    `example` is a question for the documentation.
    """

    def render(rankings: Sequence[Ranking], parameters: FaqParameters) -> dict[str, NDArray[Any]]:
        count = min(parameters.top_k, *(len(ranking.positions) for ranking in rankings))
        best = np.stack([ranking.positions[:count] for ranking in rankings])
        titles = [originals[number].title.encode() for row in best.tolist() for number in row]
        return {
            "question_id": originals.ids[best],
            "answer_id": originals.answer_ids[best],
            "title": bytes_array(titles, best.shape),
            "score": np.stack([ranking.scores[:count] for ranking in rankings]).astype(np.float32),
            "low_signal": np.array([[ranking.low_signal] for ranking in rankings]),
        }

    def predict(ranking: Ranking, parameters: FaqParameters) -> object:
        best = ranking.positions[: parameters.top_k].tolist()
        scores = ranking.scores[: parameters.top_k].tolist()
        return {
            "matches": [shown(number, each) for number, each in zip(best, scores, strict=True)],
            "low_signal": ranking.low_signal,
        }

    return TensorInterface(
        inputs=INPUTS,
        outputs=OUTPUTS,
        prepare=_prepare,
        render=render,
        predict=predict,
        parameters=FaqParameters,
        most_rows=MOST_QUESTIONS,
        example=example,
    )


def _prepare(tensor: Tensor) -> list[str]:
    return [_question(text) for text in tensor.texts()]


def _question(text: str) -> str:
    if not text.strip():
        raise Problem(400, "A question is blank.")
    if len(text) > LONGEST_QUESTION:
        raise Problem(400, f"A question has more than {LONGEST_QUESTION:,} characters.")
    return text
