"""What a model tells the service about its requests."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from services.serving.model import (
    MOST_FIELD_ERRORS,
    MOST_JSON_PARTS,
    Call,
    Incoming,
    ModelReference,
    Timing,
    field_errors,
    json_operation,
    parse_json,
    validate,
)
from services.serving.problem import Problem
from tests.services.serving.lever_service import LeverModel, LeverSettings
from tests.services.serving.live_service import JSON, LiveService


class Question(BaseModel):
    text: str = Field(max_length=5)
    count: int = 1


OPERATION = json_operation(
    path="/v1/ask",
    operation_id="ask",
    summary="Ask",
    request=Question,
    response=Question,
    prepare=lambda question: Call([question.text], lambda outputs, _: outputs[0]),
)


def prepare(body: bytes, content_type: str = "application/json") -> Call[str, str]:
    return OPERATION.prepare(Incoming(content_type, {}, body))


def status(body: bytes, content_type: str = "application/json") -> int:
    with pytest.raises(Problem) as raised:
        prepare(body, content_type)
    return raised.value.status


@pytest.mark.parametrize("content_type", ["application/json", ""])
def test_a_json_operation_makes_a_call_of_a_valid_body(content_type: str) -> None:
    call = prepare(b'{"text": "abc"}', content_type)

    assert call.items == ["abc"]
    assert call.render(["out"], Timing(1.0)) == "out"


def test_it_tells_the_kinds_of_fault_apart() -> None:
    assert status(b'{"text": "abc"}', "text/plain") == 415
    assert status(b"{") == 400
    assert status(b'{"text": "abcdef"}') == 422
    assert status(b"[1]") == 422


def test_it_accepts_json_only() -> None:
    assert list(OPERATION.accepts) == ["application/json"]
    assert OPERATION.accepts["application/json"].schema is Question


def test_field_errors_have_place_and_reason_but_no_value() -> None:
    with pytest.raises(ValidationError) as raised:
        Question.model_validate({"text": "secret", "count": "secret"})

    errors = field_errors(raised.value)
    assert [error["field"] for error in errors] == ["text", "count"]
    assert "secret" not in str(errors)


def test_a_problem_hides_what_pydantic_says_of_the_input() -> None:
    with pytest.raises(Problem) as raised:
        validate(Question, {"text": "secret"})

    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert b"secret" not in raised.value.body()


def test_json_is_parsed_strictly() -> None:
    assert parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    for bad in (b"", b"NaN", b"{'a': 1}", b'"\xff"', rb'"\ud800"', b"[" * 5000):
        with pytest.raises(Problem):
            parse_json(bad)


@pytest.mark.parametrize(
    "document",
    [
        list(range(MOST_JSON_PARTS)),
        {str(number): None for number in range(MOST_JSON_PARTS)},
        [[[]]] * (MOST_JSON_PARTS // 2),
        [{"a": {"b": []}}] * (MOST_JSON_PARTS // 3),
    ],
    ids=["array", "object", "arrays", "objects"],
)
def test_a_document_may_have_so_many_parts_wherever_they_are_and_no_more(
    document: list[object] | dict[str, object],
) -> None:
    assert parse_json(json.dumps(document).encode()) == document
    more = [*document, 1, 1] if isinstance(document, list) else {**document, "more": 1}

    with pytest.raises(Problem) as raised:
        parse_json(json.dumps(more).encode())
    assert raised.value.status == 422
    assert "errors" not in orjson.loads(raised.value.body())


def test_a_document_of_far_too_many_parts_is_refused_before_it_is_read() -> None:
    with pytest.raises(Problem) as raised:
        parse_json(b"[" + b"[]," * (2 * MOST_JSON_PARTS) + b"no JSON")
    assert raised.value.status == 422


def test_of_many_faults_the_first_are_listed() -> None:
    class Numbers(BaseModel):
        numbers: list[int]

    with pytest.raises(Problem) as raised:
        validate(Numbers, {"numbers": ["x"] * 500})

    fields = [error["field"] for error in orjson.loads(raised.value.body())["errors"]]
    assert fields == [f"numbers.{place}" for place in range(MOST_FIELD_ERRORS)]


@given(
    st.recursive(
        st.none() | st.integers(0, 9),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
        max_leaves=40,
    )
)
def test_small_documents_of_any_shape_are_parsed(document: object) -> None:
    assert parse_json(json.dumps(document).encode()) == document


def test_over_http_a_document_of_many_faults_is_answered_in_a_few_bytes(
    lever: LiveService,
) -> None:
    many = lever.request("POST", "/v1/pull", b'{"texts": [' + b"1," * 30_000 + b"1]}", JSON)
    some = lever.request("POST", "/v1/pull", b'{"texts": [' + b"1," * 500 + b"1]}", JSON)

    assert (many.status, some.status) == (422, 422)
    assert "errors" not in many.json
    assert len(some.json["errors"]) == MOST_FIELD_ERRORS
    assert max(len(many.body), len(some.body)) < 5000


def test_a_model_says_which_one_it_is() -> None:
    model = LeverModel(LeverSettings())

    assert model.reference == ModelReference(name="lever", version="7")
