"""Turns of ours and of another server right after one another: what tells two apart that are close."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Two turns with as many callers, one right after the other.

    Attributes:
        load: its name, ``c=4``.
        server: the other one.
        configuration: of the other one.
        ours: our answers a second.
        theirs: the other one's.
    """

    load: str
    server: str
    configuration: str
    ours: float
    theirs: float


@dataclass(frozen=True)
class Paired:
    """What pairs say.

    Attributes:
        ratio: the median of each pair's, ours to theirs.
        ours: median of our answers a second.
        theirs: median of theirs.
        ahead: pairs in which ours answered more.
        pairs: how many there are.
    """

    ratio: float
    ours: float
    theirs: float
    ahead: int
    pairs: int


def paired(pairs: Sequence[Pair]) -> Paired | None:
    """The pairs as one figure; None without any in which the other one answered."""
    known = [pair for pair in pairs if pair.theirs > 0]
    if not known:
        return None
    return Paired(
        ratio=statistics.median(pair.ours / pair.theirs for pair in known),
        ours=statistics.median(pair.ours for pair in known),
        theirs=statistics.median(pair.theirs for pair in known),
        ahead=sum(pair.ours > pair.theirs for pair in known),
        pairs=len(known),
    )
