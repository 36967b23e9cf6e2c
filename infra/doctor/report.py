"""The doctor's report, for people and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.doctor.findings import Section, Verdict, exit_status
from infra.standard_output import BOLD, DIM, Screen

MARKS: Mapping[Verdict, str] = {
    Verdict.OK: "✓",
    Verdict.WARNING: "!",
    Verdict.FAILED: "✗",
    Verdict.UNKNOWN: "?",
    Verdict.SKIPPED: "-",
}
_COLOURS: Mapping[Verdict, str] = {
    Verdict.OK: "\033[32m",
    Verdict.WARNING: "\033[33m",
    Verdict.FAILED: "\033[31m",
    Verdict.UNKNOWN: "\033[35m",
    Verdict.SKIPPED: DIM,
}


@dataclass(frozen=True)
class Report:
    """What was found about one stack.

    Attributes:
        stack: its name.
        file: its settings file, as messages name it.
        region: its Azure region; None for a stack without Azure.
        at: when it was looked at, in ISO 8601.
        sections: the findings.
        needs: what the stack takes, a line each.
    """

    stack: str
    file: str
    region: str | None
    at: str
    sections: Sequence[Section]
    needs: Sequence[str]

    @property
    def exit_status(self) -> int:
        """0, 1 or 2, as :func:`exit_status` says."""
        return exit_status(self.sections)


def lines(report: Report, screen: Screen) -> Iterator[str]:
    """The report for people: what was found, and below what is wrong what to do."""

    region = f", {report.region}" if report.region else ""
    yield screen.styled(BOLD, f"{report.stack} ({report.file}){region}")
    for line in report.needs:
        yield f"  {line}"
    for section in report.sections:
        yield ""
        yield screen.styled(BOLD, section.title)
        for finding in section.findings:
            mark = screen.styled(_COLOURS[finding.verdict], MARKS[finding.verdict])
            reason = f"{finding.verdict}: " if finding.verdict is Verdict.UNKNOWN else ""
            head = f"{finding.subject}  {reason}{finding.message}"
            yield from _wrapped(head, f"  {mark} ", "      ", screen.width)
            if finding.remedy is not None:
                # Never wrapped: it is there to be copied.
                yield f"      → {finding.remedy}"
    yield ""
    yield screen.styled(BOLD, summary(report))


def summary(report: Report) -> str:
    """The last line: how many of each verdict, and what that means."""
    counts = _counts(report)
    parts = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    verdict = {
        0: "nothing stands in the way",
        1: "`pulumi up` would fail",
        2: "not all could be looked at",
    }[report.exit_status]
    return f"{', '.join(parts)}: {verdict}"


def document(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "stack": report.stack,
        "file": report.file,
        "region": report.region,
        "at": report.at,
        "exit_status": report.exit_status,
        "counts": {str(verdict): number for verdict, number in _counts(report).items()},
        "needs": list(report.needs),
        "findings": [
            {
                "section": section.title,
                "subject": finding.subject,
                "verdict": str(finding.verdict),
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for section in report.sections
            for finding in section.findings
        ],
    }


def _counts(report: Report) -> dict[Verdict, int]:
    found = Counter(f.verdict for section in report.sections for f in section.findings)
    return {verdict: found[verdict] for verdict in Verdict}


def _wrapped(text: str, first: str, further: str, width: int | None) -> Iterator[str]:
    if width is None:
        yield f"{first}{text}"
        return
    room = max(width - len(further), 30)
    head, *rest = textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False)
    yield f"{first}{head}"
    for line in rest:
        yield f"{further}{line}"
