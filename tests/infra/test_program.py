"""The entry point as Pulumi runs it: from inside `infra/`, with that folder first on the path."""

from __future__ import annotations

import runpy
import sys

import pulumi
import pytest

from infra import program, stack_config
from infra.planning.stacks import ROOT
from infra.settings import Settings
from tests.infra.plans import settings_of


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the entry point declares, instead of declaring it."""
    found: list[Settings] = []
    monkeypatch.setattr(program, "declare", found.append)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(ROOT / "infra")
    return found


def test_settings_in_stacks_out(declared: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of("local")
    monkeypatch.setattr(stack_config, "read_stack_config", lambda: settings)
    runpy.run_path(str(ROOT / "infra"), run_name="__main__")
    assert declared == [settings]


def test_the_folders_own_modules_hide_no_package(
    declared: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`infra/azure` would be `azure`, and `infra/kubernetes` would be `kubernetes`."""
    seen: list[str] = []
    monkeypatch.setattr(
        stack_config, "read_stack_config", lambda: seen.extend(sys.path) or settings_of("local")
    )
    monkeypatch.setattr(sys, "path", [str(ROOT / "infra"), "", *sys.path])
    runpy.run_path(str(ROOT / "infra"), run_name="__main__")
    assert seen[0] == str(ROOT)
    assert str(ROOT / "infra") not in seen
    assert "" not in seen


def test_refused_settings_reach_the_engine_as_an_error_without_traceback(
    declared: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Settings:
        raise pulumi.RunError("faq.cpu_millicores: 1 is wrong")

    monkeypatch.setattr(stack_config, "read_stack_config", refuse)
    with pytest.raises(pulumi.RunError, match="cpu_millicores"):
        runpy.run_path(str(ROOT / "infra"), run_name="__main__")
    assert declared == []
