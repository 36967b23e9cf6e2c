"""docs/policies.md says what the pack holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import reference
from policies.pack import RULES


def test_the_page_is_up_to_date() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), (
        "docs/policies.md is stale: run `python -m policies.reference --write`"
    )


def test_the_page_names_every_policy() -> None:
    page = reference.page()
    for rule in RULES:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{rule.name}` |"))
        assert rule.severity.value in row
        assert rule.level.value in row
        assert rule.remediation in row


def test_a_stale_page_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "PAGE", tmp_path / "policies.md")
    assert reference.main(["--check"]) == 1
    assert "policies.md is stale" in capsys.readouterr().err
    assert reference.main(["--write"]) == 0
    assert reference.main(["--check"]) == 0
