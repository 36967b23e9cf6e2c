"""What differs between two plans, property by property."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.planning.document import document
from infra.planning.monitor import Recorded
from infra.planning.wire import Value

EVERYWHERE = 4
"""A change that so many resources share, such as a tag's, is told once."""

Flat = dict[str, str]


@dataclass(frozen=True)
class Change:
    """One property's values in the first and in the second plan; None where it is not there."""

    path: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"+ {self.path}: {self.new}"
        if self.new is None:
            return f"- {self.path}: {self.old}"
        return f"~ {self.path}: {self.old} → {self.new}"


def differences(first: tuple[Recorded, ...], second: tuple[Recorded, ...]) -> list[str]:
    """Lines that say what the second plan has more (+), less (-) and otherwise (~).

    Both plans must have been made for one stack's name, or every name differs.
    """
    old = {found["urn"]: found for found in document(first)}
    new = {found["urn"]: found for found in document(second)}
    changes = {
        urn: found
        for urn in sorted(old.keys() & new.keys())
        if (found := list(_changes(_flat(old[urn]), _flat(new[urn]))))
    }
    shared = Counter(change for found in changes.values() for change in found)
    everywhere = {change for change, times in shared.items() if times >= EVERYWHERE}
    lines = [
        f"{change}   ({shared[change]} resources)"
        for change in sorted(everywhere, key=lambda change: (-shared[change], change.path))
    ]
    for urn in sorted(old.keys() | new.keys()):
        if urn not in new:
            lines.append(f"- {_title(old[urn])}")
        elif urn not in old:
            lines += [f"+ {_title(new[urn])}", *_inputs(new[urn])]
        else:
            own = [change for change in changes.get(urn, ()) if change not in everywhere]
            if own:
                lines += [f"~ {_title(new[urn])}", *(f"    {change}" for change in own)]
    return lines


def _title(found: dict[str, Any]) -> str:
    return f"{found['name']}  {found['type']}"


def _inputs(found: dict[str, Any]) -> Iterator[str]:
    for path, value in sorted(_flatten("", found["inputs"])):
        yield f"    + {path}: {value}"


def _changes(old: Flat, new: Flat) -> Iterator[Change]:
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            yield Change(path, old.get(path), new.get(path))


def _flat(found: dict[str, Any]) -> Flat:
    options = {
        key: value
        for key, value in found["options"].items()
        # What depends on what follows from the inputs, which are compared anyhow.
        if key not in ("dependsOn", "propertyDependencies")
    }
    further = _flatten("options", options) if options else ()
    return dict([*_flatten("", found["inputs"]), *further])


def _flatten(path: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flatten(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _flatten(f"{path}[{place}]", inner)
    elif path:
        yield path, json.dumps(value, ensure_ascii=False)
