"""Ways to spoil a stack: changes of resources, hand-made ones or those that a program declares.

A program's resources are changed while it declares them: what is made of their outputs is made of
the changed ones, and the policies see what they would see if the program's own text were wrong.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from infra.recording import Recorded

Path = tuple[str | int, ...]
Resources = Sequence[Recorded]
MISSING = object()
"""Put somewhere, it takes away what is there."""
EACH = "*"
"""In a path, every item of a list."""


@dataclass(frozen=True)
class Change:
    """What is done to some resources.

    Attributes:
        type: their type.
        name: a text that their names contain.
        path: what of them it touches; nothing stands for the whole.
        act: the changed resource, or None for none; the very same one where nothing was to change.
            The second argument says whether a program declares it, so that paths must be there.
    """

    type: str
    name: str
    path: Path
    act: Callable[[Recorded, bool], Recorded | None]

    def concerns(self, resource: Recorded) -> bool:
        return resource.type == self.type and self.name in resource.name

    def overlaps(self, other: Change) -> bool:
        """Whether one touches what the other does, on what may be the same resource."""
        same = all(
            one == two or EACH in (one, two)
            for one, two in zip(self.path, other.path, strict=False)
        )
        names = self.name in other.name or other.name in self.name
        return self.type == other.type and names and same


@dataclass(frozen=True)
class Spoil:
    """One step of a case: changes of which at least one must find something, or a new resource."""

    changes: tuple[Change, ...] = ()
    added: Recorded | None = None

    def spoilt(self, resources: Resources) -> list[Recorded]:
        """Hand-made resources, changed."""
        spoilt = list(resources)
        for change in self.changes:
            acted = [change.act(one, False) if change.concerns(one) else one for one in spoilt]
            spoilt = [one for one in acted if one is not None]
        return spoilt if self.added is None else [*spoilt, self.added]


@dataclass(frozen=True, eq=False)
class Case:
    """One way to violate one policy.

    Attributes:
        policy: which must report it.
        spoils: what is done to the stack.
        stack: the stack or matrix file whose program declares what is spoilt.
    """

    policy: str
    spoils: tuple[Spoil, ...]
    stack: str = "prod"

    def spoilt(self, resources: Resources) -> list[Recorded]:
        """Hand-made resources, changed."""
        return functools.reduce(lambda left, spoil: spoil.spoilt(left), self.spoils, [*resources])

    @property
    def changes(self) -> Iterator[Change]:
        return (change for spoil in self.spoils for change in spoil.changes)

    def overlaps(self, other: Case) -> bool:
        """Whether the two cannot tell what each has done."""
        return any(one.overlaps(two) for one in self.changes for two in other.changes)

    def __str__(self) -> str:
        return self.policy


def put(type_: str, path: str | Path, value: Any, name: str = "") -> Spoil:
    """Set a property where resources of a type, or those whose name contains the text, have it.

    A path that none of them has proves nothing: a rule may read what is never declared.
    """
    return _change(type_, name, path, functools.partial(_set, value), made=False)


def invent(type_: str, path: str | Path, value: Any, name: str = "") -> Spoil:
    """Set a property that such a resource has not, for rules on what must not be declared at all."""
    return _change(type_, name, path, functools.partial(_set_new, value), made=True)


def add(type_: str, path: str | Path, value: Any, name: str = "") -> Spoil:
    """Append to a list that is there."""

    def append(there: Any, key: str | int, declared: bool) -> bool:
        if declared and not _has(there, key):
            return False
        there[key] = [*(there.get(key) or []), value]
        return True

    return _change(type_, name, path, append, made=False)


def any_of(*spoils: Spoil) -> Spoil:
    """Do what can be done, where a setting may be declared in several places; one must be."""
    return Spoil(tuple(change for spoil in spoils for change in spoil.changes))


def option(type_: str, name: str = "", **options: Any) -> Spoil:
    """Set options."""

    def act(resource: Recorded, _declared: bool) -> Recorded:
        return replace(resource, options=replace(resource.options, **options))

    return Spoil((Change(type_, name, ("options", *options), act),))


def without(type_: str, name: str = "") -> Spoil:
    """Leave resources out."""
    return Spoil((Change(type_, name, (), lambda _resource, _declared: None),))


def plus(more: Recorded) -> Spoil:
    """Add a resource."""
    return Spoil(added=more)


def _change(
    type_: str,
    name: str,
    path: str | Path,
    set_: Callable[[Any, str | int, bool], bool],
    *,
    made: bool,
) -> Spoil:
    keys = tuple(path.split(".")) if isinstance(path, str) else path

    def act(resource: Recorded, declared: bool) -> Recorded:
        inputs = copy.deepcopy(dict(resource.inputs))
        places = _at(inputs, keys[:-1], made=made or not declared)
        acted = [set_(there, keys[-1], declared) for there in places]
        return replace(resource, inputs=inputs) if any(acted) else resource

    return Spoil((Change(type_, name, keys, act),))


def _has(there: Any, key: str | int) -> bool:
    if isinstance(key, int):
        return isinstance(there, list) and key < len(cast("list[Any]", there))
    return isinstance(there, dict) and key in there


def _set(value: Any, there: Any, key: str | int, declared: bool) -> bool:
    if declared and not _has(there, key):
        return False
    if value is MISSING:
        there.pop(key, None)
    else:
        there[key] = copy.deepcopy(value)
    return True


def _set_new(value: Any, there: Any, key: str | int, declared: bool) -> bool:
    if declared and _has(there, key):
        return False
    there[key] = copy.deepcopy(value)
    return True


def _at(value: Any, keys: Path, *, made: bool) -> list[Any]:
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
