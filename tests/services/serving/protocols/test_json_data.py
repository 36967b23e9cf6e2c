"""A document of many parts is refused before it is read; one of many numbers or texts is not."""

from __future__ import annotations

import json

import pytest

from services.serving.problem import Problem
from services.serving.protocols.json_data import MOST_JSON_PARTS, document_of


@pytest.mark.parametrize(
    "document",
    [
        [[]] * (MOST_JSON_PARTS - 1),
        [{}] * (MOST_JSON_PARTS - 1),
        {str(number): 0 for number in range(MOST_JSON_PARTS - 1)},
    ],
    ids=["lists", "objects", "members"],
)
def test_a_document_may_have_so_many_parts_and_no_more(
    document: list[object] | dict[str, object],
) -> None:
    body = json.dumps(document).encode()
    assert document_of(body) == document
    with pytest.raises(Problem, match="more than 50,000 lists and objects") as raised:
        document_of(b"[" + body + b"]")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    "text", ["[{:" * MOST_JSON_PARTS, '"[\\' * MOST_JSON_PARTS, "[\n" * 60_000]
)
def test_what_is_in_texts_is_no_part(text: str) -> None:
    assert document_of(json.dumps([text, text]).encode()) == [text, text]


def test_numbers_are_no_parts() -> None:
    assert document_of(json.dumps([1] * (3 * MOST_JSON_PARTS)).encode()) == [1] * 150_000


def test_a_text_without_an_end_is_no_document() -> None:
    with pytest.raises(Problem) as raised:
        document_of(b'"' + b"[" * (2 * MOST_JSON_PARTS))
    assert raised.value.status == 400
