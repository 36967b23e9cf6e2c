"""Each rule: settings that break it, the key that is named, and the border that is allowed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from infra import rules
from infra.mistakes import SettingsRefused
from infra.settings import Settings, read_settings
from tests.infra.rule_cases import aks_limits, cluster, network, stack, workloads
from tests.infra.rule_cases.case import Case
from tests.infra.stack_files import SOUND, SOUND_PROD, changed

CASES = [*stack.CASES, *network.CASES, *aks_limits.CASES, *cluster.CASES, *workloads.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}: {case.says}")
def test_a_broken_rule_is_one_mistake_and_its_border_is_allowed(case: Case) -> None:
    broken = changed(SOUND_PROD if case.prod else SOUND, case.breaks)

    with pytest.raises(SettingsRefused) as refused:
        read_settings(broken)

    (mistake,) = refused.value.mistakes
    assert mistake.key == case.key
    assert case.says in mistake.wrong
    assert mistake.allowed
    read_settings(changed(broken, case.mends))


def test_a_pool_that_is_too_small_says_what_can_be_changed() -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(changed(SOUND, {"cluster.cpu_pool.max_nodes": 3}))
    assert str(refused.value) == (
        "cluster.cpu_pool.max_nodes: 3 nodes of Standard_D4ds_v5 do not hold the most pods; "
        "allowed: at least 4, a larger cluster.cpu_pool.vm_size, or less of "
        "faq.scaling.max_replicas, resnet.scaling.max_replicas, gateway.max_replicas"
    )


def test_no_rule_is_without_a_case() -> None:
    """Every place in infra/rules that finds a mistake is reached by a case above."""
    places = {
        (path.stem, node.lineno)
        for path in Path(rules.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Yield)
    }

    assert places - _reached() == set()


def test_sound_settings_break_no_rule() -> None:
    assert read_settings(SOUND).environment == "dev"
    assert read_settings(SOUND_PROD).environment == "prod"


def _reached() -> set[tuple[str, int]]:
    """Where the rules stood when they found the cases' mistakes."""
    reached: set[tuple[str, int]] = set()
    for case in CASES:
        settings = _unchecked(changed(SOUND_PROD if case.prod else SOUND, case.breaks))
        found = rules.RULES if not settings.is_local else (rules.stack.local_stack,)
        for rule in found:
            generator = rule(settings)
            for _ in generator:
                innermost = generator
                while innermost.gi_yieldfrom is not None:
                    innermost = innermost.gi_yieldfrom
                module = Path(innermost.gi_code.co_filename).stem
                reached.add((module, innermost.gi_frame.f_lineno))
    return reached


def _unchecked(values: dict[str, Any]) -> Settings:
    return Settings.model_validate(values)
