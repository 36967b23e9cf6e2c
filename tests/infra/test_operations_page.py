"""docs/operations.md: what it tells to do agrees with what the stacks declare."""

from __future__ import annotations

import re

from infra.planning.stacks import ROOT
from tests.infra.plans import NAMES, recording_of

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

PROVIDERS = {
    "alertsmanagement": {"AlertsManagement"},
    "authorization": {"Authorization", "PolicyInsights"},
    "consumption": {"Consumption"},
    "containerregistry": {"ContainerRegistry"},
    "containerservice": {"ContainerService", "Compute", "OperationsManagement"},
    "dashboard": {"Dashboard"},
    "dns": {"Network"},
    "keyvault": {"KeyVault"},
    "managedidentity": {"ManagedIdentity"},
    "monitor": {"Insights", "Monitor"},
    "network": {"Network"},
    "operationalinsights": {"OperationalInsights"},
    "privatedns": {"Network"},
    "resources": {"Security"},  # Defender's plan is set by a deployment
    "storage": {"Storage"},
}
"""Azure's resource providers behind the modules of azure-native."""


def declared_modules() -> set[str]:
    return {
        resource.type.split(":")[1]
        for name in NAMES
        for resource in recording_of(name).resources
        if resource.type.startswith("azure-native:")
    }


def test_every_resource_provider_of_any_stack_is_registered() -> None:
    loop = re.search(r"for p in (.+?); do az provider", PAGE, re.DOTALL)
    assert loop is not None
    needed = set[str]().union(*(PROVIDERS[module] for module in declared_modules()))
    assert needed == set(loop[1].split())


def test_commands_of_the_page_name_files_that_exist() -> None:
    for name in re.findall(r"`(?:\./)?((?:infra|tests|services|\.github)/[\w./-]+)`", PAGE):
        assert (ROOT / name).exists(), name
