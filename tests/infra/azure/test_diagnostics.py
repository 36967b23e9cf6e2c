from __future__ import annotations

from collections.abc import Callable

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.recording import Recorded, record_component


class Owner(pulumi.ComponentResource):
    def __init__(self, send: Callable[[pulumi.CustomResource, Owner], object]) -> None:
        super().__init__("realtime-scoring:test:Owner", "owner")
        address = azure.network.PublicIPAddress("address", resource_group_name="rg")
        send(address, self)


def setting(send: Callable[[pulumi.CustomResource, Owner], object]) -> Recorded:
    return record_component(lambda: Owner(send)).one(":DiagnosticSetting")


def test_all_logs_and_metrics_go_to_the_workspace_by_default(place: Place) -> None:
    recorded = setting(
        lambda to, owner: send_diagnostics("address", place, to, "logs-id", parent=owner)
    )
    assert recorded.name == "address-diagnostics"
    assert recorded.inputs["workspaceId"] == "logs-id"
    assert recorded.inputs["logs"] == [{"categoryGroup": "allLogs", "enabled": True}]
    assert recorded.inputs["metrics"] == [{"category": "AllMetrics", "enabled": True}]
    assert recorded.inputs["logAnalyticsDestinationType"] == "Dedicated"


def test_it_belongs_to_the_component_and_waits_for_the_resource(place: Place) -> None:
    recorded = setting(
        lambda to, owner: send_diagnostics("address", place, to, "logs-id", parent=owner)
    )
    assert recorded.parent.endswith("::owner")
    (dependency,) = recorded.options.depends_on
    assert dependency.endswith("::address")


def test_categories_come_in_the_order_in_which_azure_lists_them(place: Place) -> None:
    recorded = setting(
        lambda to, owner: send_diagnostics(
            "address", place, to, "logs-id", categories=("kube-audit", "guard"), parent=owner
        )
    )
    assert recorded.inputs["logs"] == [
        {"category": "guard", "enabled": True},
        {"category": "kube-audit", "enabled": True},
    ]


def test_what_a_resource_does_not_have_is_not_asked_for(place: Place) -> None:
    logs = setting(
        lambda to, owner: send_diagnostics("a", place, to, "w", metrics=False, parent=owner)
    )
    assert "metrics" not in logs.inputs
    metrics = setting(
        lambda to, owner: send_diagnostics("a", place, to, "w", logs=False, parent=owner)
    )
    assert "logs" not in metrics.inputs
    assert "logAnalyticsDestinationType" not in metrics.inputs
