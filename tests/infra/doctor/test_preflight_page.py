"""docs/preflight.md names every check, flag and command as they are."""

from __future__ import annotations

import re

import pytest

from infra.cost.__main__ import _parser as cost_flags
from infra.doctor.__main__ import _parser as doctor_flags
from infra.doctor.credentials import credential
from infra.doctor.matters import azure_checks, local_checks, sign_in_check
from infra.doctor.needs import needs_of
from infra.planning.stacks import ROOT
from tests.infra.doctor.resource_manager import ResourceManager
from tests.infra.plans import recording_of, settings_of

PAGE = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
DOCTOR, COST = PAGE.split("## The cost")


def test_every_check_has_a_row(manager: ResourceManager) -> None:
    settings, azure = settings_of("prod"), manager.azure()
    needs = needs_of(settings, recording_of("prod"))
    checks = [
        *local_checks(settings, needs),
        sign_in_check(settings, azure),
        *azure_checks(settings, needs, azure, {}),
    ]
    titles = [check.title for check in checks]
    rows = re.findall(r"^\| ([A-Z][A-Za-z -]+) \|", DOCTOR, re.MULTILINE)
    assert rows == [*titles, "Monthly cost"]


@pytest.mark.parametrize(("part", "parser"), [(DOCTOR, doctor_flags()), (COST, cost_flags())])
def test_every_flag_has_a_row(part: str, parser: object) -> None:
    help_ = parser.format_help()  # type: ignore[attr-defined]
    flags = set(re.findall(r"(--[a-z-]+)", help_)) - {"--help"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", part, re.MULTILINE)) == flags


def test_every_variable_of_the_sign_in_is_named() -> None:
    constants = set(credential.__code__.co_consts)
    variables = {each for each in constants if isinstance(each, str) and each.startswith("ARM_")}
    assert {each for each in variables if each not in PAGE} <= {"ARM_TENANT_ID"}


def test_make_knows_both() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("doctor", "cost"):
        assert f"$(BIN)/python -m infra.{target} $(or $(STACK),dev)" in makefile
        assert re.search(rf"^{target}: ## ", makefile, re.MULTILINE)
