"""Ways to spoil a stack: each changes recorded resources, hand-made or the real program's alike."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.recording import Recorded

Resources = Sequence[Recorded]
Spoil = Callable[[Resources], list[Recorded]]
MISSING = object()
"""Put somewhere, it takes away what is there."""
EACH = "*"
"""In a path, every item of a list."""


class NothingToSpoil(Exception):
    """The stack has no such resource: the case would prove nothing."""


@dataclass(frozen=True)
class Case:
    """One way to violate one policy.

    Attributes:
        policy: which must report it.
        spoils: what is done to the stack.
        stack: the stack or matrix file in which the real program has what is spoilt.
    """

    policy: str
    spoils: tuple[Spoil, ...]
    stack: str = "prod"

    def spoilt(self, resources: Resources) -> list[Recorded]:
        spoilt = list(resources)
        for spoil in self.spoils:
            spoilt = spoil(spoilt)
        return spoilt

    def __str__(self) -> str:
        return self.policy


def put(type_: str, path: str | tuple[str | int, ...], value: Any, name: str = "") -> Spoil:
    """Set a property of all resources of a type, or of those whose name contains the text."""
    keys = tuple(path.split(".")) if isinstance(path, str) else path

    def change(resource: Recorded) -> Recorded:
        inputs = copy.deepcopy(dict(resource.inputs))
        _put(inputs, keys, value)
        return replace(resource, inputs=inputs)

    return _each(type_, name, change)


def add(type_: str, path: str | tuple[str | int, ...], value: Any, name: str = "") -> Spoil:
    """Append to a list."""
    keys = tuple(path.split(".")) if isinstance(path, str) else path

    def change(resource: Recorded) -> Recorded:
        inputs = copy.deepcopy(dict(resource.inputs))
        for there in _at(inputs, keys[:-1]):
            there[keys[-1]] = [*(there.get(keys[-1]) or []), value]
        return replace(resource, inputs=inputs)

    return _each(type_, name, change)


def option(type_: str, name: str = "", **options: Any) -> Spoil:
    """Set options."""

    def change(resource: Recorded) -> Recorded:
        return replace(resource, options=replace(resource.options, **options))

    return _each(type_, name, change)


def without(type_: str, name: str = "") -> Spoil:
    """Leave resources out."""

    def spoil(resources: Resources) -> list[Recorded]:
        kept = [one for one in resources if one.type != type_ or name not in one.name]
        if len(kept) == len(resources):
            raise NothingToSpoil(f"{type_} {name}")
        return kept

    return spoil


def plus(*more: Recorded) -> Spoil:
    """Add resources."""
    return lambda resources: [*resources, *more]


def _each(type_: str, name: str, change: Callable[[Recorded], Recorded]) -> Spoil:
    def spoil(resources: Resources) -> list[Recorded]:
        hit = [one for one in resources if one.type == type_ and name in one.name]
        if not hit:
            raise NothingToSpoil(f"{type_} {name}")
        return [change(one) if one in hit else one for one in resources]

    return spoil


def _put(inputs: Any, keys: tuple[str | int, ...], value: Any) -> None:
    for there in _at(inputs, keys[:-1]):
        if value is MISSING:
            there.pop(keys[-1], None)
        else:
            there[keys[-1]] = copy.deepcopy(value)


def _at(value: Any, keys: tuple[str | int, ...]) -> list[Any]:
    """What lies at a path, mappings made where they are missing."""
    places = [value]
    for key in keys:
        if key == EACH:
            places = [item for place in places for item in place]
        elif isinstance(key, int):
            places = [place[key] for place in places]
        else:
            places = [place.setdefault(key, {}) for place in places]
    return places
