"""What a check found: a line with a verdict, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands with one matter."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "could not be checked"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: what was looked at, such as ``Standard DDSv5 Family vCPUs``.
        verdict: how it stands.
        message: what was found; one line, without secrets.
        remedy: the command or step that helps; None where none is needed.
    """

    subject: str
    verdict: Verdict
    message: str
    remedy: str | None = None


@dataclass(frozen=True)
class Section:
    """The findings of one check, under its title."""

    title: str
    findings: tuple[Finding, ...]


def ok(subject: str, message: str) -> Finding:
    """It will do."""
    return Finding(subject, Verdict.OK, message)


def warning(subject: str, message: str, remedy: str) -> Finding:
    """It will do for now."""
    return Finding(subject, Verdict.WARNING, message, remedy)


def failed(subject: str, message: str, remedy: str) -> Finding:
    """`pulumi up` would fail."""
    return Finding(subject, Verdict.FAILED, message, remedy)


def unknown(subject: str, reason: str, remedy: str | None = None) -> Finding:
    """It could not be looked at."""
    return Finding(subject, Verdict.UNKNOWN, reason, remedy)


def exit_status(sections: Iterable[Section]) -> int:
    """0 where all will do, 1 where something fails, 2 where something could not be looked at."""
    verdicts = {finding.verdict for section in sections for finding in section.findings}
    if Verdict.FAILED in verdicts:
        return 1
    return 2 if Verdict.UNKNOWN in verdicts else 0
