from __future__ import annotations

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


def test_plan_is_the_subscriptions(recording: Recording, place: Place) -> None:
    plan = recording.one(":Pricing")
    assert plan.inputs["scopeId"] == place.subscription
    assert plan.inputs["pricingName"] == "Containers"
    assert plan.inputs["pricingTier"] == "Standard"


def test_images_nodes_and_running_pods_are_watched(recording: Recording) -> None:
    extensions = inputs_of(recording.one(":Pricing"))["extensions"]
    assert {extension["name"] for extension in extensions} == {
        "AgentlessDiscoveryForKubernetes",
        "AgentlessVmScanning",
        "ContainerRegistriesVulnerabilityAssessments",
        "ContainerSensor",
    }
    assert {extension["isEnabled"] for extension in extensions} == {"True"}


def test_somebody_is_told(recording: Recording) -> None:
    contact = inputs_of(recording.one(":SecurityContact"))
    assert contact["securityContactName"] == "default"
    assert contact["emails"] == "security@example.org"
    assert contact["isEnabled"] is True
    assert contact["notificationsSources"] == [{"sourceType": "Alert", "minimalSeverity": "Medium"}]


def test_protection_of_others_stays_when_the_stack_goes(recording: Recording) -> None:
    for resource in (recording.one(":Pricing"), recording.one(":SecurityContact")):
        assert resource.options.retain_on_delete is True
