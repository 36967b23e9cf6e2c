"""The findings that docs/suppressions.md accepts, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infra.planning.stacks import ROOT

PAGE = ROOT / "docs" / "suppressions.md"
EVERY_STACK = "every"


@dataclass(frozen=True)
class Finding:
    """What checkov found.

    Attributes:
        check: such as ``CKV_AZURE_6``.
        resource: a type of resource in Azure, or ``Kind.namespace.name`` in Kubernetes.
        stack: a stack file or matrix file, by its name.
    """

    check: str
    resource: str
    stack: str


@dataclass(frozen=True)
class Suppression:
    """A row of the table; without stacks it holds for every stack."""

    check: str
    resource: str
    stacks: frozenset[str]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is accepted."""
        same = (self.check, self.resource) == (finding.check, finding.resource)
        return same and (not self.stacks or finding.stack in self.stacks)


def read_suppressions(page: str) -> list[Suppression]:
    """The rows of the page's table.

    Raises:
        ValueError: when a row lacks a cell.
    """
    return [_row(line) for line in page.splitlines() if line.startswith("| CKV")]


def accepted(findings: Iterable[Finding], rows: Iterable[Suppression]) -> set[Finding]:
    """The findings that a row covers."""
    rows = list(rows)
    return {finding for finding in findings if any(row.covers(finding) for row in rows)}


def superfluous(findings: Iterable[Finding], rows: Iterable[Suppression]) -> list[str]:
    """Rows, or stacks in a row, that cover no finding any more."""
    findings = list(findings)
    found: list[str] = []
    for row in rows:
        covered = {finding.stack for finding in findings if row.covers(finding)}
        if not covered:
            found.append(f"{row.check} of {row.resource}")
        elif missing := row.stacks - covered:
            found.append(f"{row.check} of {row.resource} in {', '.join(sorted(missing))}")
    return found


def _row(line: str) -> Suppression:
    cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
    if len(cells) != 4 or not all(cells):
        raise ValueError(f"a row has a check, a resource, stacks and a reason: {line}")
    check, resource, stacks, reason = cells
    named = frozenset(name.strip() for name in stacks.split(",")) - {EVERY_STACK}
    return Suppression(check, resource, named, reason)
