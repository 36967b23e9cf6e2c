"""Ways to spoil a stack: each changes recorded resources, hand-made or the real program's alike."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from infra.recording import Recorded

Resources = Sequence[Recorded]
Spoil = Callable[[Resources, bool], list[Recorded]]
"""The second argument: whether the resources are a program's, so that paths must be there."""
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

    def spoilt(self, resources: Resources, *, emitted: bool = False) -> list[Recorded]:
        spoilt = list(resources)
        for spoil in self.spoils:
            spoilt = spoil(spoilt, emitted)
        return spoilt

    def __str__(self) -> str:
        return self.policy


def put(type_: str, path: str | tuple[str | int, ...], value: Any, name: str = "") -> Spoil:
    """Set a property where resources of a type, or those whose name contains the text, have it.

    A path that none of them has proves nothing: a rule may read what is never declared.
    """
    return _change(type_, name, path, functools.partial(_set, value), made=False)


def invent(type_: str, path: str | tuple[str | int, ...], value: Any, name: str = "") -> Spoil:
    """Set a property that no such resource has, for rules on what must not be declared at all."""
    return _change(type_, name, path, functools.partial(_set_new, value), made=True)


def add(type_: str, path: str | tuple[str | int, ...], value: Any, name: str = "") -> Spoil:
    """Append to a list that is there."""

    def append(there: Any, key: str | int, emitted: bool) -> bool:
        if emitted and not _has(there, key):
            return False
        there[key] = [*(there.get(key) or []), value]
        return True

    return _change(type_, name, path, append, made=False)


def any_of(*spoils: Spoil) -> Spoil:
    """Do what can be done, where a setting may be declared in several places; one must be."""

    def spoil(resources: Resources, emitted: bool) -> list[Recorded]:
        spoilt, done = list(resources), False
        for one in spoils:
            try:
                spoilt, done = one(spoilt, emitted), True
            except NothingToSpoil:
                continue
        if not done:
            raise NothingToSpoil("none of several")
        return spoilt

    return spoil


def option(type_: str, name: str = "", **options: Any) -> Spoil:
    """Set options."""

    def change(resource: Recorded) -> Recorded:
        return replace(resource, options=replace(resource.options, **options))

    return _each(type_, name, change)


def without(type_: str, name: str = "") -> Spoil:
    """Leave resources out."""

    def spoil(resources: Resources, emitted: bool) -> list[Recorded]:
        kept = [one for one in resources if one.type != type_ or name not in one.name]
        if len(kept) == len(resources):
            raise NothingToSpoil(f"{type_} {name}")
        return kept

    return spoil


def plus(*more: Recorded) -> Spoil:
    """Add resources."""
    return lambda resources, _emitted: [*resources, *more]


def _each(type_: str, name: str, change: Callable[[Recorded], Recorded]) -> Spoil:
    def spoil(resources: Resources, emitted: bool) -> list[Recorded]:
        hit = [one for one in resources if one.type == type_ and name in one.name]
        if not hit:
            raise NothingToSpoil(f"{type_} {name}")
        return [change(one) if one in hit else one for one in resources]

    return spoil


def _change(
    type_: str,
    name: str,
    path: str | tuple[str | int, ...],
    act: Callable[[Any, str | int, bool], bool],
    *,
    made: bool,
) -> Spoil:
    keys = tuple(path.split(".")) if isinstance(path, str) else path

    def spoil(resources: Resources, emitted: bool) -> list[Recorded]:
        acted: list[bool] = []

        def change(resource: Recorded) -> Recorded:
            inputs = copy.deepcopy(dict(resource.inputs))
            acted.extend(
                [
                    act(there, keys[-1], emitted)
                    for there in _at(inputs, keys[:-1], made=made or not emitted)
                ]
            )
            return replace(resource, inputs=inputs)

        spoilt = _each(type_, name, change)(resources, emitted)
        if emitted and not any(acted):
            raise NothingToSpoil(f"{type_} {name}: {keys}")
        return spoilt

    return spoil


def _has(there: Any, key: str | int) -> bool:
    if isinstance(key, int):
        return isinstance(there, list) and key < len(cast("list[Any]", there))
    return isinstance(there, dict) and key in there


def _set(value: Any, there: Any, key: str | int, emitted: bool) -> bool:
    if emitted and not _has(there, key):
        return False
    if value is MISSING:
        there.pop(key, None)
    else:
        there[key] = copy.deepcopy(value)
    return True


def _set_new(value: Any, there: Any, key: str | int, emitted: bool) -> bool:
    if emitted and _has(there, key):
        raise NothingToSpoil(f"{key} is declared already: put changes it")
    there[key] = copy.deepcopy(value)
    return True


def _at(value: Any, keys: tuple[str | int, ...], *, made: bool) -> list[Any]:
    """What lies at a path: where it is there, or with mappings made where they are missing."""
    places = [value]
    for key in keys:
        if key == EACH:
            places = [item for place in places for item in place]
        elif made and isinstance(key, str):
            places = [place.setdefault(key, {}) for place in places]
        else:
            places = [place[key] for place in places if _has(place, key)]
    return places
