"""What a model folder says of its model: in the manifest for programs, as Markdown for people."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from services.faq.data import DataSet
from services.faq.evaluation.comparison import Comparison
from services.faq.evaluation.report.wording import interval, number, percent
from services.faq.golden import GoldenSet
from services.faq.history import ADDED, ADDED_BEFORE
from services.faq.quality_gate import Limits
from services.faq.served_model import ServedComparison
from services.faq.split import Split

CARD_FILE: Final = "MODEL_CARD.md"
LIBRARIES: Final = ("numpy", "scipy", "scikit-learn")
EVERYTHING: Final = "everything"
TRAINING_PART: Final = "training part"
BORROWED: Final = (
    "learnt from the repository's own corpus, not from this data; what its scores are worth here, only "
    "questions about this data can tell"
)


@dataclass(frozen=True)
class Verdict:
    """What the quality gate found."""

    failures: Sequence[str]
    reason: str
    """Why it was overruled, where it was."""
    limits: Limits
    served: ServedComparison | None
    golden: GoldenSet | None

    def document(self) -> dict[str, Any]:
        """Return what the manifest keeps of it."""
        golden = self.golden
        return {
            "passed": not self.failures,
            "failures": list(self.failures),
            "forced_because": self.reason if self.failures else None,
            **asdict(self.limits),
            "served": asdict(self.served) if self.served else None,
            "golden": {"questions": len(golden.questions), "sha256": golden.sha256}
            if golden
            else None,
        }


def data_details(data: DataSet) -> dict[str, Any]:
    """Return which data it was."""
    return {
        "sha256": data.sha256,
        "originals": len(data.originals),
        "duplicates": len(data.duplicates),
        "dropped": data.dropped,
    }


def split_details(split: Split, share: float, seed: int, asked: int) -> dict[str, Any]:
    """Return how the data was split: enough to split it again, and a sentence for people."""
    since = split.since.isoformat() if split.since else None
    words = {
        "own": "the data's own test part",
        "time": f"all that were asked since {since}",
        "stratified": f"{share:.0%} of each original's duplicates",
    }
    return {
        "kind": split.kind.value,
        "share": share,
        "seed": seed,
        "since": since,
        "training": len(split.training),
        "held_out": len(split.held_out),
        "asked": asked,
        "how": words[split.kind.value],
    }


def library_versions() -> dict[str, str]:
    """Return the versions of what computes the figures."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def card_details(
    data: DataSet,
    split: Mapping[str, Any],
    settings: Mapping[str, Any],
    trained_on: str,
    comparison: Comparison | None,
    verdict: Verdict,
) -> dict[str, Any]:
    """Return the model card as the manifest has it.

    Args:
        data: all of the data.
        split: from `split_details`.
        settings: those that decide what the model is.
        trained_on: `EVERYTHING` or `TRAINING_PART`.
        comparison: the held-out figures; None where nothing could be held out.
        verdict: of the gate.
    """
    return {
        "data": data_details(data),
        "split": dict(split),
        "settings": dict(settings),
        "trained_on": trained_on,
        "evaluation": comparison.summary() if comparison else None,
        "gate": verdict.document(),
        "libraries": library_versions(),
    }


def write_card(folder: Path, name: str, model_version: str, details: Mapping[str, Any]) -> None:
    """Write the model card of a draft of a model folder, the same text for the same details."""
    (folder / CARD_FILE).write_text(card(name, model_version, details), encoding="utf-8")


def card(name: str, model_version: str, details: Mapping[str, Any]) -> str:
    """Return the model card as Markdown."""
    sections = (
        _what(name, model_version, details),
        _figures(details["evaluation"]),
        _gate(details["gate"]),
        *_added(details),
        _made_with(details),
    )
    return "\n\n".join(sections) + "\n"


def _what(name: str, model_version: str, details: Mapping[str, Any]) -> str:
    data, split = details["data"], details["split"]
    learnt = (
        "everything"
        if details["evaluation"] is None
        else "everything; the figures are those of a model that had not learnt from the held-out part"
        if details["trained_on"] == EVERYTHING
        else "all but the held-out part"
    )
    return (
        f"# {name} {model_version}\n\n"
        "Ranks known questions by the probability that a posted one repeats them.\n\n"
        f"- Data: {data['originals']:,} originals, {data['duplicates']:,} duplicates, "
        f"SHA-256 `{data['sha256']}`.\n"
        f"- Held out: {split['held_out']:,} duplicates ({split['how']}; seed {split['seed']}).\n"
        f"- Learnt from: {learnt}."
        + (f"\n- Second stage: {BORROWED}." if details["settings"].get("borrow") else "")
    )


def _figures(evaluation: Mapping[str, Any] | None) -> str:
    if evaluation is None:
        return "## Figures\n\nNothing could be held out: how good the model is, is not known."
    rows = [
        "| matcher | accuracy@1 | accuracy@3 | MRR | calibration error |",
        "|---|---|---|---|---|",
    ]
    for matcher in evaluation["matchers"].values():
        figures = matcher["figures"]
        if figures is None:
            rows.append(f"| {matcher['title']} | {matcher['note']} | | | |")
            continue
        error = figures.get("expected_calibration_error")
        cells = (
            matcher["title"],
            interval(figures["accuracy_at_1"]),
            interval(figures["accuracy_at_3"]),
            number(figures["mean_reciprocal_rank"]["value"]),
            percent(error["value"]) if error else "–",
        )
        rows.append(f"| {' | '.join(cells)} |")
    groups = [
        f"- {group['label']}: {interval(group['matchers']['model']['accuracy_at_1'])} of "
        f"{group['questions']:,} questions"
        for group in evaluation["by_known_duplicates"]
    ]
    questions = evaluation["matchers"]["model"]["questions"]
    return "\n".join(
        (
            f"## Figures\n\nOn {questions:,} held-out questions; intervals are of 95 %.\n",
            *rows,
            "\nAccuracy@1 by the known duplicates of the original:\n",
            *groups,
        )
    )


def _gate(gate: Mapping[str, Any]) -> str:
    lines = ["## Quality gate\n"]
    if gate["passed"]:
        lines.append("Passed.")
    else:
        lines.append(f"**Not passed**, overruled because: {gate['forced_because']}\n")
        lines += [f"- {failure}" for failure in gate["failures"]]
    golden, served = gate["golden"], gate["served"]
    lines.append(
        f"\n- Golden set: {golden['questions']} questions, SHA-256 `{golden['sha256']}`."
        if golden
        else "\n- Golden set: none."
    )
    if served and served["differences"]:
        at_1 = served["differences"]["accuracy_at_1"]
        lines.append(
            f"- Beside the model in place before ({served['version']}), on {served['questions']:,} "
            f"questions: accuracy@1 {100 * at_1['value']:+.1f} points "
            f"({100 * at_1['low']:+.1f} to {100 * at_1['high']:+.1f})."
        )
    elif served:
        lines.append(f"- The model in place before was not compared: {served['note']}.")
    return "\n".join(lines)


def _added(details: Mapping[str, Any]) -> list[str]:
    if not (lines := added_lines(details)):
        return []
    said = "Without training again; the figures above are those from before.\n"
    return ["\n".join(("## Added since\n", said, *lines))]


def added_lines(details: Mapping[str, Any]) -> list[str]:
    """Return what was added, the oldest first: a line each, and one for those long ago."""
    before = details.get(ADDED_BEFORE)
    long_ago = (
        f"- Until {before['until']}, {before['additions']:,} times: {_texts(before)}."
        if before
        else ""
    )
    lines = (
        f"- {each['at']}, to version {each['to_version']}: {_texts(each)}."
        for each in details.get(ADDED, [])
    )
    return [line for line in (long_ago, *lines) if line]


def _texts(addition: Mapping[str, Any]) -> str:
    return f"{addition['originals']:,} originals, {addition['duplicates']:,} duplicates"


def _made_with(details: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in details["libraries"].items())
    settings = "\n".join(f"- {name}: {value}" for name, value in details["settings"].items())
    return f"## Settings and versions\n\n{settings}\n- {versions}"
