"""What was added to a model since it was trained, as its manifest keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ADDED: Final = "added"
ADDED_BEFORE: Final = "added_before"
MOST_KEPT: Final = 100
"""Additions that are kept one by one; of those before, the sums: a manifest has to stay small."""


def with_addition(details: Mapping[str, Any], addition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of a manifest with one addition more."""
    everything = [*details.get(ADDED, []), addition]
    kept = {**details, ADDED: everything[-MOST_KEPT:]}
    if gone := everything[:-MOST_KEPT]:
        before = details.get(ADDED_BEFORE, {})
        kept[ADDED_BEFORE] = {
            "additions": before.get("additions", 0) + len(gone),
            "originals": _sum("originals", before, *gone),
            "duplicates": _sum("duplicates", before, *gone),
            "until": gone[-1]["at"],
        }
    return kept


def added_texts(details: Mapping[str, Any]) -> int:
    """Return how many texts were ever added."""
    additions = (details.get(ADDED_BEFORE, {}), *details.get(ADDED, []))
    return _sum("originals", *additions) + _sum("duplicates", *additions)


def _sum(what: str, *additions: Mapping[str, Any]) -> int:
    return sum(each.get(what, 0) for each in additions)
