"""Values as the program sends them to the engine, in plain Python, and back.

The SDK's own deserialisation lifts a secret to the object around it; here it stays where it is, so
that a plan hides no more than it must and a test sees exactly which value is wrapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks special objects: `_special_sig_key` of pulumi/runtime/rpc.py."""
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, no secret
ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"

Value: TypeAlias = "str | int | float | bool | Secret | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True)
class Secret:
    """A value that the program wrapped as a secret."""

    value: Value = field(repr=False)

    def __str__(self) -> str:
        return "<secret>"


def object_of(struct: struct_pb2.Struct) -> dict[str, Value]:
    """A resource's properties; whole numbers as `int`, which the wire cannot tell from floats."""
    return {key: value_of(struct.fields[key]) for key in sorted(struct.fields)}


def value_of(value: struct_pb2.Value) -> Value:
    """One value."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _special(value.struct_value)
    if kind == "list_value":
        return [value_of(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "string_value":
        return value.string_value
    return None


def struct_of(values: Mapping[str, Value]) -> struct_pb2.Struct:
    """The properties for the way back to the program."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_wire(value))
    return struct


def without_secrets(value: Value) -> Value:
    """The value with ``<secret>`` in place of each secret."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, dict):
        return {key: without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value


def _special(struct: struct_pb2.Struct) -> Value:
    if SIGNATURE not in struct.fields:
        return object_of(struct)
    signature = struct.fields[SIGNATURE].string_value
    if signature == SECRET_SIGNATURE:
        return Secret(value_of(struct.fields["value"]))
    if signature in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE):
        known = ("path", "text", "uri", "assets")
        return {key: value_of(struct.fields[key]) for key in known if key in struct.fields}
    if signature == RESOURCE_SIGNATURE:
        return value_of(struct.fields["id" if "id" in struct.fields else "urn"])
    raise ValueError(f"a value of an unknown kind reached the monitor (signature {signature})")


def _wire(value: Value) -> struct_pb2.Value:
    if isinstance(value, Secret):
        marked = {SIGNATURE: SECRET_SIGNATURE, "value": value.value}
        return struct_pb2.Value(struct_value=struct_of(marked))
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=struct_of(value))
    items = [_wire(item) for item in cast(Sequence[Value], value)]
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
