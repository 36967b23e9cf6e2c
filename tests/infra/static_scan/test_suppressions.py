"""How findings and docs/suppressions.md meet."""

from __future__ import annotations

import pytest

from tests.infra.plans import NAMES
from tests.infra.static_scan.suppressions import (
    PAGE,
    Finding,
    accepted,
    read_suppressions,
    superfluous,
)

TABLE = """
| Check | Resource | Stacks | Reason |
|---|---|---|---|
| CKV_1 | `A/b` | every | it cannot be had |
| CKV_2 | `A/b` | dev, web | small |
"""
ROWS = read_suppressions(TABLE)


def test_a_finding_is_accepted_where_a_row_names_it() -> None:
    named = {Finding("CKV_1", "A/b", "prod"), Finding("CKV_2", "A/b", "dev")}
    others = {
        Finding("CKV_2", "A/b", "prod"),
        Finding("CKV_1", "A/c", "prod"),
        Finding("CKV_3", "A/b", "prod"),
    }
    assert accepted(named | others, ROWS) == named


def test_a_row_that_covers_nothing_is_superfluous() -> None:
    findings = [Finding("CKV_2", "A/b", "dev")]
    assert superfluous(findings, ROWS) == ["CKV_1 of A/b", "CKV_2 of A/b in web"]


def test_a_row_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="a reason"):
        read_suppressions("| CKV_1 | `A/b` | every |  |")


def test_the_page_names_stacks_that_there_are() -> None:
    rows = read_suppressions(PAGE.read_text(encoding="utf-8"))
    assert rows
    assert {stack for row in rows for stack in row.stacks} <= set(NAMES)
    assert len({(row.check, row.resource, row.stacks) for row in rows}) == len(rows)
