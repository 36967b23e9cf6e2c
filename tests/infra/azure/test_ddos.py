from __future__ import annotations

from infra.azure.ddos import DdosPlan, DdosPlanArgs
from infra.azure.place import Place
from infra.recording import record_component

SHARED = "/subscriptions/1/resourceGroups/hub/providers/Microsoft.Network/ddosProtectionPlans/all"


def test_a_stack_without_a_plan_to_share_makes_one(place: Place) -> None:
    recording = record_component(lambda: DdosPlan("ddos", DdosPlanArgs(place, None)))
    plan = recording.one(":DdosProtectionPlan")
    assert plan.inputs["ddosProtectionPlanName"] == "ddos-scoring-test"
    assert recording.one("azure:DdosPlan").outputs["id"] == f"<output of {plan.urn}.id>"


def test_a_plan_that_exists_already_is_shared(place: Place) -> None:
    recording = record_component(lambda: DdosPlan("ddos", DdosPlanArgs(place, SHARED)))
    assert not recording.of_type(":DdosProtectionPlan")
    assert recording.one("azure:DdosPlan").outputs["id"] == SHARED
