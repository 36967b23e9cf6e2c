"""The ways in which a data set is split."""

from __future__ import annotations

from enum import StrEnum


class SplitKind(StrEnum):
    """How it is decided which duplicates are held out."""

    AUTO = "auto"
    """The data's own split where it has one, else by time where every duplicate has a date, else
    stratified."""
    OWN = "own"
    TIME = "time"
    """The latest are held out, as a model is asked what comes after it was trained."""
    STRATIFIED = "stratified"
    """A share of each original's duplicates is held out."""
