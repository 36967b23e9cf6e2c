"""The answers of the two services, checked field by field as they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from typing import TypeVar, cast

from client.errors import UnexpectedAnswer

Kind = TypeVar("Kind", str, int, bool)


@dataclass(frozen=True)
class ModelReference:
    """Which model gave an answer."""

    name: str
    version: str


@dataclass(frozen=True)
class Attribution:
    """Whose a text is; what is not known is None.

    Attributes:
        author: name of who wrote it.
        author_url: address of the author's page.
        url: address of the text.
        licence: its licence, such as "CC BY-SA 4.0".
        licence_url: address of the licence.
        created: when it was written, ISO 8601.
    """

    author: str | None = None
    author_url: str | None = None
    url: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    created: str | None = None


@dataclass(frozen=True)
class Match:
    """A known question that the posted one may duplicate.

    Attributes:
        question_id: identity of the known question.
        answer_id: identity of its answer.
        title: its title, plain text.
        url: its address; None where it has none.
        score: probability that the posted question duplicates this one, 0 to 1. What the
            scores of all known questions leave to 1 is the probability that none is duplicated.
        answer: its answer as HTML, if asked for. It is not sanitised.
        text: its full text as HTML, if asked for. It is not sanitised.
        source_id: its identity where it was imported from, if that is no whole number.
        attribution: whose the question is, if asked for and known. Whoever shows its text shows
            this too, where the licence says so.
        answer_attribution: whose the answer is.
    """

    question_id: int
    answer_id: int
    title: str
    url: str | None
    score: float
    answer: str | None = None
    text: str | None = None
    source_id: str | None = None
    attribution: Attribution | None = None
    answer_attribution: Attribution | None = None


@dataclass(frozen=True)
class MatchAnswer:
    """The known questions, most probable first.

    ``low_signal`` is true when the posted text says too little for the order to mean anything.
    """

    matches: tuple[Match, ...]
    low_signal: bool
    model: ModelReference


@dataclass(frozen=True)
class Prediction:
    """A class of a picture and its probability, 0 to 1."""

    class_id: int
    label: str
    score: float


@dataclass(frozen=True)
class Classification:
    """The classes of a picture, most probable first."""

    predictions: tuple[Prediction, ...]
    model: ModelReference


def read_match_answer(document: object) -> MatchAnswer:
    """A :class:`MatchAnswer` from decoded JSON; :class:`UnexpectedAnswer` if it is not one."""
    fields = _object(document, "the answer")
    return MatchAnswer(
        matches=tuple(_match(entry) for entry in _list(fields, "matches")),
        low_signal=_value(fields, "low_signal", bool),
        model=_model(fields),
    )


def read_classification(document: object) -> Classification:
    """A :class:`Classification` from decoded JSON; :class:`UnexpectedAnswer` if it is not one."""
    fields = _object(document, "the answer")
    return Classification(
        predictions=tuple(_prediction(entry) for entry in _list(fields, "predictions")),
        model=_model(fields),
    )


def _match(entry: object) -> Match:
    fields = _object(entry, "matches")
    return Match(
        question_id=_value(fields, "question_id", int),
        answer_id=_value(fields, "answer_id", int),
        title=_value(fields, "title", str),
        url=_optional_text(fields, "url"),
        score=_score(fields),
        answer=_optional_text(fields, "answer"),
        text=_optional_text(fields, "text"),
        source_id=_optional_text(fields, "source_id"),
        attribution=_attribution(fields, "attribution"),
        answer_attribution=_attribution(fields, "answer_attribution"),
    )


def _attribution(fields: Mapping[str, object], name: str) -> Attribution | None:
    if fields.get(name) is None:
        return None
    known = _object(fields[name], name)
    return Attribution(
        **{each.name: _optional_text(known, each.name) for each in fields_of(Attribution)}
    )


def _prediction(entry: object) -> Prediction:
    fields = _object(entry, "predictions")
    return Prediction(
        class_id=_value(fields, "class_id", int),
        label=_value(fields, "label", str),
        score=_score(fields),
    )


def _model(fields: Mapping[str, object]) -> ModelReference:
    model = _object(fields.get("model"), "model")
    return ModelReference(name=_value(model, "name", str), version=_value(model, "version", str))


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _unexpected(name)
    return cast("dict[str, object]", value)


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise _unexpected(name)
    return cast("list[object]", value)


def _value(fields: Mapping[str, object], name: str, kind: type[Kind]) -> Kind:
    value = fields.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _unexpected(name)
    return value


def _optional_text(fields: Mapping[str, object], name: str) -> str | None:
    return None if fields.get(name) is None else _value(fields, name, str)


def _score(fields: Mapping[str, object]) -> float:
    value = fields.get("score")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _unexpected("score")
    return float(value)


def _unexpected(name: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"the answer is not one of this API: {name} is missing or wrong")
