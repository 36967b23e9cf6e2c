"""Values on their way from the program to the engine and back."""

from __future__ import annotations

import pytest
from google.protobuf import struct_pb2

from infra.planning.wire import SIGNATURE, Secret, Value, object_of, struct_of, without_secrets


@pytest.mark.parametrize(
    "value", [None, True, False, 0, 3, 0.25, "", "text", [], {}, [1, [None]], {"a": {"b": [True]}}]
)
def test_a_value_comes_back_as_it_went(value: Value) -> None:
    back = object_of(struct_of({"value": value}))["value"]
    assert (back, type(back)) == (value, type(value))


def test_a_secret_stays_where_it_is() -> None:
    values: dict[str, Value] = {"outer": {"plain": "p", "hidden": Secret({"k": ["v"]})}}
    assert object_of(struct_of(values)) == values
    assert without_secrets(values) == {"outer": {"plain": "p", "hidden": "<secret>"}}


def test_a_secret_is_in_no_message() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"


def test_a_value_of_an_unknown_kind_is_refused() -> None:
    struct = struct_pb2.Struct()
    struct.update({"value": {SIGNATURE: "something new"}})
    with pytest.raises(ValueError, match="something new"):
        object_of(struct)
