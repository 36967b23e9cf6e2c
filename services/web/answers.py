"""What the scoring services answer, checked, and as the page gets it."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from services.serving.problem import Problem
from services.web.sanitising import sanitise, web_address

Score = Annotated[float, Field(ge=0, le=1)]


class Served(BaseModel):
    """Which model answered."""

    name: str
    version: str


class Match(BaseModel):
    """A known question and the probability that the asked one is a duplicate of it."""

    question_id: int
    title: str
    url: str | None = None
    score: Score
    answer: str = ""


class Matches(BaseModel):
    """The answer of ``POST /v1/match``."""

    matches: list[Match]
    low_signal: bool
    model: Served


class Prediction(BaseModel):
    """A class and its probability."""

    class_id: str | int
    label: str
    score: Score


class Predictions(BaseModel):
    """The answer of ``POST /v1/classify``."""

    predictions: list[Prediction]
    model: Served


Answer = TypeVar("Answer", bound=BaseModel)


def parse_matches(content: bytes) -> Matches:
    """The matches in a service's answer, safe to show.

    Raises:
        Problem: 502 where the answer is not what the service promises.
    """
    answer = _parse(Matches, content)
    safe = [
        match.model_copy(update={"answer": sanitise(match.answer), "url": web_address(match.url)})
        for match in answer.matches
    ]
    return answer.model_copy(update={"matches": safe})


def parse_predictions(content: bytes) -> Predictions:
    """The classes in a service's answer.

    Raises:
        Problem: 502 where the answer is not what the service promises.
    """
    return _parse(Predictions, content)


def _parse(schema: type[Answer], content: bytes) -> Answer:
    try:
        return schema.model_validate_json(content)
    except ValidationError:
        raise Problem(502, "The service gave an answer that cannot be read.") from None
