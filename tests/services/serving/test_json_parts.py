"""Parts are counted outside of texts, never too many, in time that grows with the body alone."""

from __future__ import annotations

import gc
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.json_parts import _PIECE_BYTES, more_parts_than, read_json

texts = st.text(st.sampled_from('[]{}:,"\\\\/ab\n') | st.characters(), max_size=12)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)


def parts(document: object) -> int:
    """Elements and members, at any depth."""
    inner = list(document.values()) if isinstance(document, dict) else document
    return sum(1 + parts(each) for each in inner) if isinstance(inner, list) else 0


@given(documents, st.booleans())
def test_never_more_are_counted_than_there_are(document: object, ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    assert not more_parts_than(parts(document), body)


@pytest.mark.parametrize("document", [[[]] * 100, [{}] * 100, [[[{}]]] * 34, dict.fromkeys("abc")])
def test_lists_objects_and_members_are_counted(document: object) -> None:
    body = json.dumps(document).encode()

    assert more_parts_than(2 if isinstance(document, dict) else 99, body)


@pytest.mark.parametrize("text", ["[{:" * 1000, '"[' * 1000, "\\[" * 1000, '\\"[' * 1000])
def test_what_is_in_texts_is_no_part(text: str) -> None:
    assert not more_parts_than(2, json.dumps([text, text]).encode())


@pytest.mark.parametrize(
    "size", [_PIECE_BYTES - 3, _PIECE_BYTES - 2, _PIECE_BYTES - 1, _PIECE_BYTES]
)
@pytest.mark.parametrize("letter", ["a", '"', "\\", "["])
def test_a_text_may_go_on_from_one_piece_of_a_body_to_the_next(size: int, letter: str) -> None:
    texts = [letter * size, "[" * _PIECE_BYTES, letter * (2 * size)]
    body = json.dumps([*texts, [], []]).encode()

    assert not more_parts_than(5, body)
    assert more_parts_than(1, body)


MEBIBYTES = 8 << 20


@pytest.mark.parametrize(
    "tail",
    [b'"' + b'\\"' * (MEBIBYTES // 2), b'"' + b"[" * MEBIBYTES, b'""' * (MEBIBYTES // 2),
     b"\\" * MEBIBYTES],
    ids=["quotes without an end", "a text without an end", "empty texts", "backslashes"],
)  # fmt: skip
def test_hostile_bodies_take_no_longer_than_others(tail: bytes) -> None:
    """A pattern that tries again at each quote would take hours; this is some tenths of a second."""
    began = time.monotonic()
    assert more_parts_than(1000, b"[" * 2000 + tail)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("is_collecting", [True, False])
def test_reading_leaves_the_collector_as_it_was(is_collecting: bool) -> None:
    before = gc.isenabled()
    (gc.enable if is_collecting else gc.disable)()
    try:
        assert read_json(b"[1, [2]]") == [1, [2]]
        with pytest.raises(ValueError, match="end of data"):
            read_json(b"[")
        assert gc.isenabled() == is_collecting
    finally:
        (gc.enable if before else gc.disable)()
