"""Reads a recorded resource's inputs, which are whatever the program sent."""

from __future__ import annotations

from infra.planning.monitor import Recorded
from infra.planning.wire import Value


def value_at(resource: Recorded, *path: str | int) -> Value:
    """The value at a path of keys and places; None where there is none."""
    current: Value = dict(resource.inputs)
    for part in path:
        current = _inside(current, part)
    return current


def _inside(value: Value, part: str | int) -> Value:
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def text_at(resource: Recorded, *path: str | int) -> str | None:
    """The text at a path; None where there is none, or something else."""
    value = value_at(resource, *path)
    return value if isinstance(value, str) else None


def number_at(resource: Recorded, *path: str | int) -> int:
    """The whole number at a path; 0 where there is none."""
    value = value_at(resource, *path)
    return value if isinstance(value, int) else 0


def texts_at(resource: Recorded, *path: str | int) -> tuple[str, ...]:
    """The texts of the list at a path; none where there is no list."""
    value = value_at(resource, *path)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def objects_at(resource: Recorded, *path: str | int) -> tuple[dict[str, Value], ...]:
    """The objects of the list at a path; none where there is no list."""
    value = value_at(resource, *path)
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if isinstance(item, dict))
