"""docs/configuration.md and Pulumi.yaml are what the models say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from infra import configuration_reference
from infra.configuration_reference import (
    PROJECT_FILE,
    REFERENCE,
    main,
    project_file,
    reference,
    stale_lines,
)
from infra.settings import Settings, read_settings
from tests.infra.stack_files import SOUND
from tests.infra.test_settings import sections


def test_the_reference_is_up_to_date() -> None:
    assert stale_lines(REFERENCE, reference()) == "", (
        "run: python -m infra.configuration_reference --write"
    )


def test_the_project_file_is_up_to_date() -> None:
    assert stale_lines(PROJECT_FILE, project_file()) == "", (
        "run: python -m infra.configuration_reference --write"
    )


def test_every_setting_has_a_line() -> None:
    text = reference()

    for path, section in sections():
        for name in section.model_fields:
            assert re.search(rf"^\| `{name}` \| .+ \| .+ \| .+ \|$", text, re.MULTILINE), (
                f"{path}.{name}"
            )


def test_every_link_leads_to_a_heading() -> None:
    text = reference()
    headings = {
        re.sub(r"[^a-z0-9_-]", "", heading.lower())
        for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_every_row_has_four_cells() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("|")]

    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_pulumi_declares_the_same_keys_with_the_same_words() -> None:
    declared = yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))["config"]

    assert {name: key["description"] for name, key in declared.items()} == {
        name: field.description for name, field in Settings.model_fields.items()
    }


def test_pulumis_defaults_change_nothing() -> None:
    """The engine hands them to the program as if the stack file had them."""
    declared = yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))["config"]
    defaults = {name: key["default"] for name, key in declared.items()}

    assert read_settings({**defaults, **SOUND}) == read_settings(SOUND)


def test_what_the_engine_needs_is_there() -> None:
    project = yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))

    assert project["name"] == "realtime-scoring"
    assert project["runtime"] == {
        "name": "python",
        "options": {"toolchain": "pip", "virtualenv": ".venv"},
    }
    assert project["main"] == "infra/"


def test_a_stale_file_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(configuration_reference, "REFERENCE", tmp_path / "configuration.md")
    monkeypatch.setattr(configuration_reference, "PROJECT_FILE", tmp_path / "Pulumi.yaml")

    assert main(["--check"]) == 1
    assert "configuration.md is stale" in capsys.readouterr().err
    assert main(["--write"]) == 0
    assert main([]) == 0
