"""What the HTTP API takes and gives, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.faq.attribution import Attribution
from services.serving.model import ModelReference

LONGEST_QUESTION: Final = 20_000
MOST_MATCHES: Final = 50


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


QuestionText = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_QUESTION),
    AfterValidator(_not_blank),
]


class MatchRequest(BaseModel):
    """A question, and how much to answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: QuestionText = Field(
        description="the question as posted: plain text, Markdown or HTML; "
        "the first 8,192 characters are looked at"
    )
    top_k: int = Field(10, ge=1, le=MOST_MATCHES, description="most matches to return")
    min_score: float = Field(0.0, ge=0, le=1, description="leave out matches with a lower score")
    include_answers: bool = Field(
        False, description="return the text and the answer of each match, as HTML from the data"
    )


class Match(BaseModel):
    """A known question."""

    question_id: int
    answer_id: int
    source_id: str | None = Field(
        None,
        description="id of the known question in the table that it was imported from, where that is "
        "no whole number; question_id and answer_id are then numbers made of it",
    )
    title: str
    url: str | None
    score: float = Field(
        ge=0,
        le=1,
        description="calibrated probability that the posted question asks the same; "
        "what all scores leave to 1 is the probability that no known question does",
    )
    text: str | None = Field(
        None, description="body of the known question, HTML; only with include_answers"
    )
    answer: str | None = Field(None, description="its answer, HTML; only with include_answers")
    attribution: Attribution | None = Field(
        None,
        description="author, address and licence of the known question, which have to be shown with "
        "its text where the licence says so; only with include_answers, and where the data has them",
    )
    answer_attribution: Attribution | None = Field(None, description="those of the answer")


class MatchResponse(BaseModel):
    """The most probable known questions, the best first; equal scores by id."""

    matches: list[Match]
    low_signal: bool = Field(
        description="whether the ranking should not be relied on: no word of the question is "
        "known, or the first three matches are not likely to hold the right one"
    )
    model: ModelReference


class ScoreRequest(BaseModel):
    """A question, in the predecessor's form."""

    input: QuestionText = Field(strict=True, description="the question as posted")


class ScoreResponse(BaseModel):
    """The originals, in the predecessor's form."""

    result: list[list[list[float]] | str] = Field(
        min_length=2,
        max_length=2,
        description="[question id, answer id, probability] of each original that the question was "
        "compared with, the best first; and how long it took",
    )
