"""The table of `make conformance-peers`: the same in every run, and honest of a server that did not run."""

from __future__ import annotations

import pytest

from benchmarks.peers.roster import OURS
from tests.conformance.peers import exit_status, table, without_address

REFUSED = "HTTPStatusError: '404 Not Found' for url 'http://127.0.0.1:{port}/v2/health/live'"


def test_no_row_holds_the_port_of_a_run() -> None:
    first, second = (
        without_address({"kserve: v1 live": REFUSED.format(port=port)}, f"127.0.0.1:{port}")
        for port in (51223, 34201)
    )

    assert first == second
    assert "http://HOST:PORT/v2/health/live" in first["kserve: v1 live"]


def test_what_passed_is_counted_and_a_server_that_did_not_run_is_said() -> None:
    ours = {"kserve: v1_live": "ok", "kserve: v1_predict": "AssertionError: a|b"}

    assert table(["ours 1", "theirs"], [ours, {}]).splitlines() == [
        "| client: check | ours 1 | theirs |",
        "|---|---|---|",
        "| kserve: v1 live | ok | not run |",
        "| kserve: v1 predict | AssertionError: a/b | not run |",
        "| **passed** | **1 of 2** | not run |",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "status"),
    [("ok", {"a": "404"}, 0), ("404", {"a": "ok"}, 1), ("ok", {}, 1)],
)
def test_it_fails_where_ours_does_or_a_server_was_not_asked(
    ours: str, theirs: dict[str, str], status: int
) -> None:
    assert exit_status({OURS: {"a": ours}, "kserve": theirs}) == status
