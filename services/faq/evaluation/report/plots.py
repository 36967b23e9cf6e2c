"""The plots of an evaluation, as SVG that takes the page's colours: dark on light or light on dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from services.faq.evaluation.report.wording import matcher_names

_INK: Final = "#010203"
"""Stands for the colour of the page's text."""
_GRID: Final = "#040506"
"""Stands for the colour of the page's lines."""
_COLOURS: Final = {
    "model": "#2b7fd4",
    "predecessor": "#c9543f",
    "linear_svm": "#c98a12",
    "nearest_neighbour": "#8d6bd0",
    "tfidf_cosine": "#2f9e7a",
    "largest_class": "#8b919b",
}
_STYLE: Final = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
_PERCENT: Final = PercentFormatter(1.0, decimals=0)


def plots(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the plots that an evaluation has figures for, as SVG by name."""
    drawn = {
        "accuracy": _draw(document, "accuracy", _accuracy, height=3.4),
        "reliability": _draw(document, "reliability", _reliability, width=5.0, height=4.8),
        "coverage": _draw(document, "coverage", _coverage, width=5.6, height=4.8),
        "by_known_duplicates": _draw(document, "known", _by_known_duplicates, height=3.8),
    }
    if document.get("withheld"):
        drawn["withheld"] = _draw(document, "withheld", _withheld, height=4.2)
    if document.get("no_match"):
        drawn["no_match"] = _draw(document, "no match", _no_match, width=4.6, height=4.2)
    return drawn


def _draw(
    document: Mapping[str, Any], name: str, plot: Any, *, width: float = 9.4, height: float
) -> str:
    style: dict[Any, Any] = {**_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        axes.set_axisbelow(True)
        axes.grid(True, alpha=0.6)
        plot(document, axes)
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=3 if width < 6 else 6, fontsize=9)
        stream = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return _for_page(stream.getvalue(), axes.get_title())


def _for_page(svg: str, title: str) -> str:
    """Cut the SVG element out and let it take its colours and its font from the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="(?:figure|axes|patch|line2d|text|matplotlib\.axis|xtick|ytick|legend|[A-Za-z]+Collection)_\d+"', "", svg)  # fmt: skip  # noqa: E501
    svg = svg.replace(_INK, "var(--ink)").replace(_GRID, "var(--line)")
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--font)", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def _accuracy(document: Mapping[str, Any], axes: Axes) -> None:
    matchers = {key: each for key, each in document["matchers"].items() if each["figures"]}
    for place, key in enumerate(reversed(matchers)):
        for shade, name in ((0.35, "accuracy_at_3"), (1.0, "accuracy_at_1")):
            axes.barh(
                place,
                matchers[key]["figures"][name]["value"],
                color=_COLOURS.get(key),
                alpha=shade,
                height=0.62,
            )
        _whisker(axes, place, matchers[key]["figures"]["accuracy_at_1"])
    axes.set_yticks(range(len(matchers)), [each["title"] for each in reversed(matchers.values())])
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.grid(False, axis="y")
    axes.set_title("Accuracy@1 with its 95 % interval; paler: accuracy@3")


def _whisker(axes: Axes, place: float, estimate: Mapping[str, float]) -> None:
    axes.plot([estimate["low"], estimate["high"]], [place, place], color=_INK, linewidth=1.6)


def _reliability(document: Mapping[str, Any], axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle=":")
    names = matcher_names(document)
    for key, bins in document["reliability"].items():
        shares = [each["share_right"] for each in bins]
        axes.errorbar(
            [each["mean_score"] for each in bins],
            [share["value"] for share in shares],
            yerr=_around(shares),
            color=_COLOURS.get(key),
            label=names[key],
            marker="o",
            markersize=4,
            linewidth=1.4,
            elinewidth=1,
        )
    _both_percent(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("score of the first place")
    axes.set_ylabel("share that is right")
    axes.set_title("Reliability")


def _coverage(document: Mapping[str, Any], axes: Axes) -> None:
    names = matcher_names(document)
    for key, curve in document["coverage"].items():
        if key == "largest_class":
            continue
        coverage = [point["coverage"] for point in curve]
        accuracy = [point["accuracy"] for point in curve]
        colour = _COLOURS.get(key)
        axes.plot(
            coverage, [each["value"] for each in accuracy], color=colour, label=names[key],
            marker=".", linewidth=1.6,
        )  # fmt: skip
        if key == "model":
            low, high = [each["low"] for each in accuracy], [each["high"] for each in accuracy]
            axes.fill_between(coverage, low, high, color=colour, alpha=0.18, linewidth=0)
    _both_percent(axes)
    axes.set_xlim(1.02, 0)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("questions that are answered, as the threshold rises →")
    axes.set_ylabel("answers that are right")
    axes.set_title("Coverage against accuracy")


def _by_known_duplicates(document: Mapping[str, Any], axes: Axes) -> None:
    groups = document["by_known_duplicates"]
    keys = [key for key in document["matchers"] if key in groups[0]["matchers"]]
    names = matcher_names(document)
    width = 0.8 / len(keys)
    for number, key in enumerate(keys):
        for place, group in enumerate(groups):
            estimate = group["matchers"].get(key, {}).get("accuracy_at_1")
            if estimate:
                left = place - 0.4 + (number + 0.5) * width
                label = names[key] if place == 0 else None
                axes.bar(left, estimate["value"], width * 0.9, color=_COLOURS.get(key), label=label)
                axes.plot(
                    [left, left], [estimate["low"], estimate["high"]], color=_INK, linewidth=1
                )
    labels = [f"{group['label']}\n{group['questions']:,} questions" for group in groups]
    axes.set_xticks(range(len(groups)), labels)
    axes.set_xlim(-0.6, max(len(groups) - 0.4, 1.6))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.grid(False, axis="x")
    axes.set_title("Accuracy@1 by the known duplicates of the original")


def _withheld(document: Mapping[str, Any], axes: Axes) -> None:
    curve = document["withheld"]
    names = matcher_names(document)
    places = range(len(curve) + 1)
    for key in curve[0]["matchers"]:
        estimates = [point["matchers"][key]["accuracy_at_1"] for point in curve]
        estimates.append(document["matchers"][key]["figures"]["accuracy_at_1"])
        axes.errorbar(
            places,
            [each["value"] for each in estimates],
            yerr=_around(estimates),
            color=_COLOURS.get(key),
            label=names[key],
            marker="o",
            markersize=4,
            linewidth=1.6,
            elinewidth=1,
        )
    axes.set_xticks(places, [*(str(point["kept"]) for point in curve), "all"])
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("most known duplicates of each original")
    axes.set_title("Accuracy@1 when the other duplicates are withheld")


def _no_match(document: Mapping[str, Any], axes: Axes) -> None:
    curve = document["no_match"]["curve"]
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle=":")
    axes.plot(*zip(*curve, strict=True), color=_COLOURS["model"], linewidth=1.8)
    _both_percent(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("questions without a match that get an answer")
    axes.set_ylabel("questions with one that do")
    axes.set_title("Telling questions that have no match")


def _around(estimates: Sequence[Mapping[str, float]]) -> list[list[float]]:
    """Return error bars as matplotlib wants them: distances below and above."""
    return [
        [max(0.0, each["value"] - each["low"]) for each in estimates],
        [max(0.0, each["high"] - each["value"]) for each in estimates],
    ]


def _both_percent(axes: Axes) -> None:
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.yaxis.set_major_formatter(_PERCENT)
