"""When Azure may upgrade the cluster and its nodes."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks

from infra.azure.place import Place
from infra.sections.cluster import MaintenanceSettings, UpgradeSettings

CLUSTER_WINDOW = "aksManagedAutoUpgradeSchedule"
NODE_WINDOW = "aksManagedNodeOSUpgradeSchedule"
"""AKS knows the two windows by these names alone
(learn.microsoft.com/azure/aks/planned-maintenance)."""


def declare_windows(
    name: str,
    place: Place,
    cluster_name: pulumi.Input[str],
    upgrades: UpgradeSettings,
    parent: pulumi.Resource,
) -> list[aks.MaintenanceConfiguration]:
    """A window for each kind of upgrade that Azure does by itself; none where it does none."""
    wanted = {
        CLUSTER_WINDOW: (upgrades.channel != "none", "cluster", upgrades.cluster_window),
        NODE_WINDOW: (upgrades.node_image_channel != "None", "nodes", upgrades.node_window),
    }
    return [
        aks.MaintenanceConfiguration(
            f"{name}-{what}-window",
            config_name=config_name,
            resource_name_=cluster_name,
            resource_group_name=place.resource_group_name,
            maintenance_window=_weekly(window),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for config_name, (enabled, what, window) in wanted.items()
        if enabled
    ]


def _weekly(window: MaintenanceSettings) -> aks.MaintenanceWindowArgs:
    return aks.MaintenanceWindowArgs(
        schedule=aks.ScheduleArgs(
            weekly=aks.WeeklyScheduleArgs(day_of_week=aks.WeekDay(window.day), interval_weeks=1)
        ),
        start_time=window.start_time,
        utc_offset=window.utc_offset,
        duration_hours=window.duration_hours,
    )
