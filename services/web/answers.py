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


class Attribution(BaseModel):
    """Whose a text is; what is not known is None."""

    author: str | None = None
    author_url: str | None = None
    url: str | None = None
    licence: str | None = None
    licence_url: str | None = None

    def safe(self) -> Attribution:
        """The same without addresses that are none of the web."""
        addresses = ("author_url", "url", "licence_url")
        return self.model_copy(
            update={name: web_address(getattr(self, name)) for name in addresses}
        )


class Match(BaseModel):
    """A known question and the probability that the asked one is a duplicate of it."""

    question_id: int
    source_id: str | None = None
    title: str
    url: str | None = None
    score: Score
    answer: str = ""
    attribution: Attribution | None = None
    answer_attribution: Attribution | None = None

    def safe(self) -> Match:
        """The same, safe to show."""
        return self.model_copy(
            update={
                "answer": sanitise(self.answer),
                "url": web_address(self.url),
                "attribution": self.attribution and self.attribution.safe(),
                "answer_attribution": self.answer_attribution and self.answer_attribution.safe(),
            }
        )


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
    return answer.model_copy(update={"matches": [match.safe() for match in answer.matches]})


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
