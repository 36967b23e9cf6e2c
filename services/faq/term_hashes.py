"""Hashes of strings: each byte times a random number for its place, added up.

Multilinear hashing (Dietzfelbinger 1996, "Universal hashing and k-wise independent random variables
via integer arithmetic without primes"); the highest bits are the best. A byte more ends each string.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRAM: Final = 3
"""Characters of a gram."""

_PLACES: Final = 256
"""A power of two, so that a place is found by masking."""
_END: Final = np.uint64(1)
"""What a zero byte counts as, since each counts as one more than it is."""

Hashes = NDArray[np.uint64]


def string_hashes(strings: Sequence[str]) -> Hashes:
    """Return the hash of each string, in order; a zero byte is taken for a space."""
    if not strings:
        return np.zeros(0, np.uint64)
    letters = np.frombuffer(
        ("\0".join(strings) + "\0").encode("utf-8", "surrogatepass"), dtype=np.uint8
    )
    ends = np.flatnonzero(letters == 0) + 1
    if len(ends) != len(strings):
        return string_hashes([string.replace("\0", " ") for string in strings])
    starts = np.concatenate(([0], ends[:-1]))
    places = (np.arange(len(letters)) - np.repeat(starts, ends - starts)) & (_PLACES - 1)
    return np.add.reduceat((letters + _END) * _RANDOM[places], starts)


def gram_hashes(texts: Sequence[str]) -> Hashes:
    """Return the hashes of all texts' grams, text by text.

    A gram is a character that is not a space, with its two neighbours; in front of a text and behind
    it is a space. The hashes are those that :func:`string_hashes` has of the grams.
    """
    letters = np.frombuffer(
        f" {'  '.join(texts)} ".encode("utf-8", "surrogatepass"), dtype=np.uint8
    )
    begins = np.flatnonzero((letters & 0xC0) != 0x80)
    has_middle = letters[begins[1:-1]] != ord(" ")
    starts = begins[:-2][has_middle]
    lengths = np.append(begins, len(letters))[GRAM:][has_middle] - starts
    values = letters + _END
    hashes = _RANDOM[lengths] * _END
    for place in range(lengths.max(initial=0)):
        if place < GRAM:
            hashes += values[starts + place] * _RANDOM[place]
        else:
            longer = lengths > place
            hashes[longer] += values[starts[longer] + place] * _RANDOM[place]
    return hashes


def _random(count: int) -> Hashes:
    """Return the first numbers of SplitMix64 (Steele, Lea and Flood 2014)."""
    steps = np.arange(1, count + 1, dtype=np.uint64)
    mixed = steps * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_RANDOM: Final = _random(_PLACES)
