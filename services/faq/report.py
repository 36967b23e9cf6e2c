"""Figures as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_COLUMNS: Final = (
    "accuracy_at_1",
    "accuracy_at_2",
    "accuracy_at_3",
    "mean_reciprocal_rank",
    "mean_rank",
)
_HEADINGS: Final = ("accuracy@1", "@2", "@3", "MRR", "mean rank")


def table(figures: Mapping[str, Any]) -> str:
    """Return the figures of `Evaluation.figures` as lines of text."""
    baselines = figures["baselines"]
    rows = [
        ("model", figures),
        ("TF-IDF cosine", baselines["tfidf_cosine"]),
        ("largest class", baselines["largest_class"]),
    ]
    lines = [_row("held-out questions: " + str(figures["questions"]), _HEADINGS)]
    lines += [
        _row(name, [_shown(column, row[column]) for column in _COLUMNS]) for name, row in rows
    ]
    low, high = figures["accuracy_at_1_low"], figures["accuracy_at_1_high"]
    return "\n".join(
        (
            *lines,
            f"95 % interval of accuracy@1: {low:.1%} to {high:.1%}; "
            f"mean over originals: {figures['macro_accuracy_at_1']:.1%}",
            f"log-loss {figures['log_loss']:.5f}, "
            f"calibration error {figures['expected_calibration_error']:.3f}, "
            f"flagged as low signal: {figures['low_signal_share']:.1%}",
        )
    )


def _row(name: str, cells: list[str] | tuple[str, ...]) -> str:
    return f"{name:<26}" + "".join(f"{cell:>12}" for cell in cells)


def _shown(column: str, value: float) -> str:
    return f"{value:.1%}" if column.startswith("accuracy") else f"{value:.3f}"
