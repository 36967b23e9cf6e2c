"""Runs checks side by side: few threads, a deadline, and no check that stops another."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from infra.doctor.findings import Finding, Section, Verdict, unknown
from infra.doctor.reasons import reason_of

THREADS = 8
DEADLINE_SECONDS = 90.0


@dataclass(frozen=True)
class Check:
    """One matter.

    Attributes:
        title: its heading in the report.
        look: yields what it finds; what it raises becomes a finding too.
        needs_sign_in: whether it asks Azure.
    """

    title: str
    look: Callable[[], Iterable[Finding]]
    needs_sign_in: bool = True


def examine(
    checks: Sequence[Check],
    *,
    done: Callable[[str], None] = lambda _title: None,
    deadline_seconds: float = DEADLINE_SECONDS,
    since: float | None = None,
) -> Iterator[Section]:
    """The findings of each check, in the order of the checks.

    Args:
        checks: what to look at.
        done: told each title when its check has ended.
        deadline_seconds: after so long, what has not answered could not be checked.
        since: when that time began, of the monotonic clock; None for now.
    """
    until = (time.monotonic() if since is None else since) + deadline_seconds
    if until <= time.monotonic():
        over = unknown("not asked", f"the {deadline_seconds:g} s were over before", "--deadline N")
        yield from (Section(check.title, (over,)) for check in checks)
        return
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[tuple[int, tuple[Finding, ...]]] = queue.SimpleQueue()
    for place in range(len(checks)):
        waiting.put(place)

    def work() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            ended.put((place, _findings(checks[place])))

    for _ in range(min(THREADS, len(checks))):
        # Nobody waits for a thread that hangs in a connection, not even the interpreter's end.
        threading.Thread(target=work, daemon=True).start()
    found: dict[int, tuple[Finding, ...]] = {}
    while len(found) < len(checks):
        try:
            place, findings = ended.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            break
        found[place] = findings
        done(checks[place].title)
    for place, check in enumerate(checks):
        late = unknown("no answer", f"nothing came within {deadline_seconds:g} s", "try again")
        yield Section(check.title, found.get(place, (late,)))


def skipped(check: Check, why: str) -> Section:
    """A check that is not made."""
    return Section(check.title, (Finding("not looked at", Verdict.SKIPPED, why),))


def _findings(check: Check) -> tuple[Finding, ...]:
    """What it yielded before it failed is kept."""
    findings: list[Finding] = []
    try:
        for finding in check.look():
            findings.append(finding)
    except Exception as error:  # noqa: BLE001 - one that fails must not stop the others
        reason = reason_of(error)
        findings.append(unknown(check.title.lower(), reason.why, reason.remedy))
    return tuple(findings)
