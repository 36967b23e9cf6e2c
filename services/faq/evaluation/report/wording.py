"""How figures are written, in the terminal and on the page alike."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any


def percent(value: float | None) -> str:
    """Return a share as a percentage."""
    return "–" if value is None or isnan(value) else f"{value:.1%}"


def number(value: float | None) -> str:
    """Return a figure that is no share."""
    return "–" if value is None else f"{value:.3f}"


def interval(estimate: Mapping[str, float]) -> str:
    """Return a share with its interval."""
    low, high = percent(estimate["low"]), percent(estimate["high"])
    return f"{percent(estimate['value'])} ({low} to {high})"


def points(estimate: Mapping[str, float]) -> str:
    """Return a difference of shares, in percentage points, with its interval."""
    value, low, high = (100 * estimate[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def matcher_names(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the title of each matcher by its key."""
    return {key: matcher["title"] for key, matcher in document["matchers"].items()}
