"""The picture is found in a form or in base64, or the request is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resnet.received_picture import from_base64, from_form, from_predecessor_base64
from services.serving.problem import Problem

BOUNDARY = {"boundary": "frontier"}


def form(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(
        b"--frontier\r\nContent-Disposition: form-data; " + header.encode() + b"\r\n\r\n"
        + content + b"\r\n"
        for header, content in parts
    )  # fmt: skip
    return body + b"--frontier--\r\n"


def refusal(run: object, *arguments: object) -> int:
    with pytest.raises(Problem) as raised:
        run(*arguments)  # type: ignore[operator]
    return raised.value.status


@given(st.binary(max_size=2000))
def test_the_file_in_the_field_image_is_returned_as_it_is(content: bytes) -> None:
    file = 'name="image"; filename="a.jpg"'
    if b"--frontier" not in content:
        assert from_form(form(('name="note"', b"x"), (file, content)), BOUNDARY) == content


def test_a_form_without_the_field_is_refused() -> None:
    assert refusal(from_form, form(('name="photo"; filename="a"', b"x")), BOUNDARY) == 422
    assert refusal(from_form, form(('name="image"', b"no file name")), BOUNDARY) == 422


@pytest.mark.parametrize("options", [{}, {"boundary": ""}, {"boundary": "é"}])
def test_a_form_without_a_boundary_is_refused(options: dict[str, str]) -> None:
    assert refusal(from_form, form(), options) == 400


def test_a_form_that_is_cut_short_is_refused() -> None:
    body = form(('name="image"; filename="a"', b"x" * 100))
    assert refusal(from_form, body[:90], BOUNDARY) == 400


def test_a_form_of_many_parts_or_of_long_text_is_refused() -> None:
    assert refusal(from_form, form(*[('name="a"', b"x")] * 17), BOUNDARY) == 413
    assert refusal(from_form, form(('name="a"', b"x" * 70_000)), BOUNDARY) == 413


@given(st.binary(max_size=500))
def test_a_random_form_never_raises_anything_but_a_problem(body: bytes) -> None:
    try:
        from_form(body, BOUNDARY)
    except Problem as problem:
        assert problem.status in (400, 413, 422)  # noqa: PT017


@given(st.binary(max_size=500))
def test_base64_is_decoded(content: bytes) -> None:
    assert from_base64(base64.b64encode(content).decode()) == content


@pytest.mark.parametrize("text", ["abc", "ab c", "é", "YQ==\n", "data:image/png;base64,YQ=="])
def test_base64_is_strict(text: str) -> None:
    assert refusal(from_base64, text) == 422


@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from(
        ["{}", '"{}"', "b'{}'", "\"b'{}'\"", ' "{}"\n', "data:image/jpeg;base64,{}", 'b"{}"']
    ),
)
def test_the_predecessors_wrappings_are_taken_off(content: bytes, wrapping: str) -> None:
    text = wrapping.format(base64.b64encode(content).decode())
    assert from_predecessor_base64(text) == content


@given(st.binary(min_size=1, max_size=200))
def test_the_predecessor_did_without_padding_and_with_line_breaks(content: bytes) -> None:
    text = base64.encodebytes(content).decode().rstrip("=\n")
    assert from_predecessor_base64(text) == content


@given(st.text(max_size=200))
def test_random_text_never_raises_anything_but_a_problem(text: str) -> None:
    for decode in (from_base64, from_predecessor_base64):
        try:
            decode(text)
        except Problem as problem:
            assert problem.status == 422  # noqa: PT017
