from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from infra.doctor.examination import Check, examine
from infra.doctor.findings import Finding, Verdict
from infra.doctor.matters import azure_checks
from infra.doctor.needs import needs_of
from tests.infra.doctor.resource_manager import ResourceManager, World, resource_manager
from tests.infra.plans import recording_of, settings_of

Look = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def manager() -> Iterator[ResourceManager]:
    with resource_manager() as manager:
        yield manager


@pytest.fixture
def world(manager: ResourceManager) -> World:
    return manager.world


@pytest.fixture
def look(manager: ResourceManager) -> Look:
    """`look("prod", "Names")`: findings of the stack's checks of these titles, by title."""

    def look_(stack: str, *titles: str) -> dict[str, list[Finding]]:
        settings = settings_of(stack)
        needs = needs_of(settings, recording_of(stack))
        checks: list[Check] = azure_checks(settings, needs, manager.azure(), {})
        wanted = [check for check in checks if check.title in titles]
        assert len(wanted) == len(titles)
        return {
            section.title: list(section.findings)
            for section in examine(wanted, deadline_seconds=30)
        }

    return look_


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    return {finding.subject: finding.verdict for finding in findings}
