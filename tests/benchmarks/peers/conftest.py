from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.peers.measurement import CALLERS, Cell, Ending, Measured

Row = Callable[..., Measured]


@pytest.fixture
def row() -> Row:
    """A row whose every rate is ``speed`` and whose latency is its inverse."""

    def make(server: str, speed: float = 100.0, **fields: Any) -> Measured:
        loads = [*(f"c={callers}" for callers in CALLERS), "50 %", "80 %", "120 %", "300 %"]
        latency = 1000 / speed
        cells = [Cell(load, speed, speed, speed, latency, latency, latency) for load in loads]
        known: dict[str, Any] = {
            "configuration": "tuned", "version": "1.0", "ready_seconds": 2.0,
            "memory_megabytes": 200.0, "cells": tuple(cells), "ending": Ending(4, 1, 50, 20, 0.5),
        }  # fmt: skip
        return Measured("faq", server, **(known | fields))

    return make


@pytest.fixture
def open_row(row: Row) -> Row:
    """A row of which the cells with arrivals are these: load, offered, answered (all of it good), p99."""

    def make(server: str, *cells: tuple[str, float, float, float]) -> Measured:
        closed = row(server).cells[: len(CALLERS)]
        opened = (Cell(load, *rates, rates[-1], 1, 2, p99) for load, *rates, p99 in cells)
        return row(server, cells=(*closed, *opened))

    return make
