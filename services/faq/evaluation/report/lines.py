"""An evaluation as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from services.faq.evaluation.report.wording import interval, matcher_names, number, percent, points

_COLUMNS: Final = (
    ("accuracy@1", "accuracy_at_1"),
    ("@2", "accuracy_at_2"),
    ("@3", "accuracy_at_3"),
    ("@5", "accuracy_at_5"),
    ("@10", "accuracy_at_10"),
    ("macro@1", "macro_accuracy_at_1"),
    ("MRR", "mean_reciprocal_rank"),
    ("mean rank", "mean_rank"),
)
_NAME_WIDTH: Final = 28


def evaluation_lines(document: Mapping[str, Any]) -> str:
    """Return the figures of an evaluation: a table, and below it what a table cannot say."""
    return "\n".join(
        (
            *_matchers(document["matchers"]),
            "",
            *_differences(document),
            *_probabilities(document),
            *_by_known_duplicates(document),
            *_withheld(document),
            *_no_match(document.get("no_match")),
            *_latency(document.get("latency")),
            *document.get("notes", ()),
        )
    )


def _matchers(matchers: Mapping[str, Any]) -> Iterator[str]:
    questions = matchers["model"]["questions"]
    head = "".join(f"{heading:>11}" for heading, _ in _COLUMNS)
    yield f"{f'held-out questions: {questions:,}':<{_NAME_WIDTH}}{head}"
    for matcher in matchers.values():
        figures = matcher["figures"]
        if figures is None:
            yield f"{matcher['title']:<{_NAME_WIDTH}}{matcher['note']}"
            continue
        cells = "".join(f"{_shown(name, figures[name]):>11}" for _, name in _COLUMNS)
        note = f"   ({matcher['note']})" if matcher["note"] else ""
        yield f"{matcher['title']:<{_NAME_WIDTH}}{cells}{note}"


def _shown(name: str, estimate: Mapping[str, float]) -> str:
    return percent(estimate["value"]) if "accuracy" in name else number(estimate["value"])


def _differences(document: Mapping[str, Any]) -> Iterator[str]:
    at_1 = document["matchers"]["model"]["figures"]["accuracy_at_1"]
    yield f"accuracy@1 of the model, 95 % interval: {interval(at_1)}"
    names = matcher_names(document)
    for key, figures in document["differences"].items():
        yield f"  more than {names[key]}: {points(figures['accuracy_at_1'])}"


def _probabilities(document: Mapping[str, Any]) -> Iterator[str]:
    figures = document["matchers"]["model"]["figures"]
    error = figures["expected_calibration_error"]
    yield (
        f"log-loss {number(figures['log_loss']['value'])}, "
        f"Brier score {number(figures['brier_score']['value'])}, "
        f"calibration error {interval(error)}, of which chance alone makes up to "
        f"{percent(document['chance_calibration_error'])}; "
        f"flagged as low signal: {percent(figures['low_signal_share']['value'])}"
    )


def _by_known_duplicates(document: Mapping[str, Any]) -> Iterator[str]:
    yield "accuracy@1 by how many known duplicates the original has:"
    for group in document["by_known_duplicates"]:
        at_1 = group["matchers"]["model"]["accuracy_at_1"]
        yield f"  {group['label']:<20}{interval(at_1)} of {group['questions']:,}"


def _withheld(document: Mapping[str, Any]) -> Iterator[str]:
    curve: Sequence[Mapping[str, Any]] = document.get("withheld") or ()
    if not curve:
        return
    names = matcher_names(document)
    yield "accuracy@1 when at most so many duplicates of each original are known:"
    head = "".join(f"{point['kept']:>9}" for point in curve)
    yield f"{'':<{_NAME_WIDTH}}{head}{'all':>9}"
    for key in curve[0]["matchers"]:
        cells = [point["matchers"][key]["accuracy_at_1"]["value"] for point in curve]
        cells.append(document["matchers"][key]["figures"]["accuracy_at_1"]["value"])
        shown = "".join(f"{percent(cell):>9}" for cell in cells)
        yield f"  {names[key]:<{_NAME_WIDTH - 2}}{shown}"


def _no_match(figures: Mapping[str, Any] | None) -> Iterator[str]:
    if figures:
        yield (
            f"questions without a match ({figures['without_match']:,}): AUROC of the best score "
            f"{number(figures['auroc']['value'])}; not flagged as low signal "
            f"{percent(figures['false_match_rate']['value'])}; answered when 95 % of the others are "
            f"{percent(figures['false_match_rate_at_95']['value'])}"
        )
        yield (
            f"low signal, with these and {figures['with_match']:,} that have a match: "
            f"{percent(figures['low_signal_precision']['value'])} of the flagged have no match, or "
            "not in the first three places; of all such, "
            f"{percent(figures['low_signal_recall']['value'])} are flagged"
        )


def _latency(figures: Mapping[str, Any] | None) -> Iterator[str]:
    if figures:
        resident = figures["resident_mib"]
        memory = f", {resident:,.0f} MiB resident" if resident else ""
        yield (
            f"one question in process: p50 {figures['p50_ms']:.2f} ms, p95 {figures['p95_ms']:.2f} "
            f"ms, p99 {figures['p99_ms']:.2f} ms{memory}"
        )
