"""Reading properties of which nothing is certain: they may be missing, unknown or of any type.

During a preview the engine hands over unknown values, and its proxies raise when one is touched,
which would switch the whole policy off. Here an unknown value becomes :data:`UNKNOWN`, and a rule
says nothing about that value alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeAlias, cast

from pulumi_policy.proxy import UnknownValueError


class _Unknown(Enum):
    UNKNOWN = "unknown until the stack is deployed"


UNKNOWN: Final = _Unknown.UNKNOWN
"""A value that only a real run knows."""
Unknown: TypeAlias = Literal[_Unknown.UNKNOWN]


def plain(value: object) -> object:
    """The value without the SDK's proxies, unknown parts replaced by :data:`UNKNOWN`."""
    if isinstance(value, Mapping):
        mapping = cast(Mapping[object, object], value)
        return {str(key): _inner(mapping, key) for key in mapping}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        sequence = cast(Sequence[object], value)
        return [_inner(sequence, index) for index in range(len(sequence))]
    return value


def _inner(container: Mapping[object, object] | Sequence[object], key: object) -> object:
    try:
        return plain(cast(Mapping[object, object], container)[key])
    except UnknownValueError:
        return UNKNOWN


def at(value: object, *path: str) -> object:
    """What lies at the path; None where something is missing, UNKNOWN where it is not known."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = cast(Mapping[str, object], value).get(key)
    return value


def items(value: object) -> list[object]:
    """The items of a list; none of anything else."""
    return cast(list[object], value) if isinstance(value, list) else []


def entries(value: object) -> dict[str, object]:
    """A mapping; an empty one for anything else."""
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def is_set(value: object) -> bool:
    """Whether there is a value, and it is known."""
    return value is not None and value is not UNKNOWN


def may_equal(one: object, other: object) -> bool:
    """Whether two values are equal, as far as they are known."""
    return one is UNKNOWN or other is UNKNOWN or one == other


def holds_unknown(value: object) -> bool:
    """Whether the value, or anything in it, is not known."""
    if value is UNKNOWN:
        return True
    inside = [*items(value), *entries(value).values()]
    return any(holds_unknown(inner) for inner in inside)


def text(value: object) -> str:
    """A text; the empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A number, also where Kubernetes or Azure write it as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(text(value))
    except ValueError:
        return None


def shown(value: object) -> str:
    """A value as a message names it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return f'"{value}"' if isinstance(value, str) else str(value)
