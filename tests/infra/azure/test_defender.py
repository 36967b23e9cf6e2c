from __future__ import annotations

from typing import Any

import pytest

from infra.azure.defender import DefenderPlan, DefenderPlanArgs
from infra.azure.place import Place
from infra.recording import Recording, record_component
from infra.sections.security import DefenderSettings
from tests.infra.azure.cluster_side import azure_options, inputs_of


@pytest.fixture
def recording(place: Place) -> Recording:
    settings = DefenderSettings(plan="owned", contact="security@example.org")
    return record_component(
        lambda: DefenderPlan("defender", DefenderPlanArgs(place, settings), azure_options())
    )


def set_by(recording: Recording, type_: str) -> dict[str, Any]:
    """What the deployment says of the one resource of a type."""
    properties = inputs_of(recording.one(":DeploymentAtSubscriptionScope"))["properties"]
    (found,) = [one for one in properties["template"]["resources"] if one["type"] == type_]
    return found


def test_plan_is_the_subscriptions(recording: Recording) -> None:
    plan = set_by(recording, "Microsoft.Security/pricings")
    assert plan["name"] == "Containers"
    assert plan["properties"]["pricingTier"] == "Standard"


def test_what_every_subscription_has_is_never_created(recording: Recording) -> None:
    assert not recording.of_type(":Pricing")
    assert not recording.of_type(":SecurityContact")
    properties = inputs_of(recording.one(":DeploymentAtSubscriptionScope"))["properties"]
    assert properties["mode"] == "Incremental"


def test_images_nodes_and_running_pods_are_watched(recording: Recording) -> None:
    extensions = set_by(recording, "Microsoft.Security/pricings")["properties"]["extensions"]
    assert {extension["name"] for extension in extensions} == {
        "AgentlessDiscoveryForKubernetes",
        "AgentlessVmScanning",
        "ContainerRegistriesVulnerabilityAssessments",
        "ContainerSensor",
    }
    assert {extension["isEnabled"] for extension in extensions} == {"True"}


def test_somebody_is_told(recording: Recording) -> None:
    found = set_by(recording, "Microsoft.Security/securityContacts")
    contact = found["properties"]
    assert found["name"] == "default"
    assert contact["emails"] == "security@example.org"
    assert contact["isEnabled"] is True
    assert contact["notificationsSources"] == [{"sourceType": "Alert", "minimalSeverity": "Medium"}]
