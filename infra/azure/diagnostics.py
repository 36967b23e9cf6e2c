"""Where a resource's own logs and metrics go: to Log Analytics."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place

SETTING_NAME = "realtime-scoring"
ALL_LOGS = "allLogs"
ALL_METRICS = "AllMetrics"


def send_diagnostics(
    name: str,
    place: Place,
    resource: pulumi.CustomResource,
    workspace_id: pulumi.Input[str],
    *,
    categories: Sequence[str] = (),
    logs: bool = True,
    metrics: bool = True,
    parent: pulumi.Resource,
) -> azure.monitor.DiagnosticSetting:
    """Send a resource's logs and metrics to a Log Analytics workspace.

    Azure refuses a setting for what the type of resource does not have; which has what is listed
    at learn.microsoft.com/azure/azure-monitor/reference/supported-logs/logs-index and
    …/supported-metrics/metrics-index.

    Args:
        name: Pulumi name of the resource; the setting is named after it.
        place: where it goes.
        resource: whose logs they are.
        workspace_id: where they go.
        categories: the log categories wanted; all of them by default.
        logs: whether the type of resource has logs.
        metrics: whether it has metrics.
        parent: the component that declares the resource.
    """
    setting = azure.monitor.DiagnosticSetting(
        f"{name}-diagnostics",
        name=SETTING_NAME,
        resource_uri=resource.id,
        workspace_id=workspace_id,
        # A table for each category (AKSAudit, say) can be queried, and priced, by itself.
        log_analytics_destination_type="Dedicated" if logs else None,
        logs=_logs(categories) if logs else None,
        metrics=[azure.monitor.DiagnosticsMetricSettingsArgs(category=ALL_METRICS, enabled=True)]
        if metrics
        else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    place.locks.hold_back(setting)
    return setting


def _logs(categories: Sequence[str]) -> list[azure.monitor.DiagnosticsLogSettingsArgs]:
    if not categories:
        return [azure.monitor.DiagnosticsLogSettingsArgs(category_group=ALL_LOGS, enabled=True)]
    # Azure lists them by name; the same order here keeps a preview from showing a change.
    return [
        azure.monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)
        for category in sorted(categories)
    ]
