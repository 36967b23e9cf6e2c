"""Rules on how the cluster is kept up to date, and when."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.cluster import CLUSTER
from policies.reading import UNKNOWN, entries, may_equal, number, shown, text
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule, wants
from policies.sources import aks, checkov, issue, psrule

MAINTENANCE = "azure-native:containerservice:MaintenanceConfiguration"
OLDEST_MINOR = 35
"""Oldest supported Kubernetes minor version; 1.34 left support in November 2026
(learn.microsoft.com/azure/aks/supported-kubernetes-versions)."""
SHORTEST_WINDOW_HOURS = 4
WINDOWS = {
    "upgradeChannel": "aksManagedAutoUpgradeSchedule",
    "nodeOSUpgradeChannel": "aksManagedNodeOSUpgradeSchedule",
}


def _image_cleaner(cluster: Resource) -> Iterator[str]:
    yield from wants("securityProfile.imageCleaner.enabled", True)(cluster)
    hours = cluster.at("securityProfile", "imageCleaner", "intervalHours")
    if hours is not UNKNOWN and (number(hours) or 0) < 24:
        yield f"securityProfile.imageCleaner.intervalHours is {shown(hours)}; AKS takes 24 or more"


def _supported_version(cluster: Resource) -> Iterator[str]:
    version = cluster.at("kubernetesVersion")
    match = re.match(r"1\.(\d+)", text(version))
    if version is UNKNOWN or (match and int(match[1]) >= OLDEST_MINOR):
        return
    yield f"kubernetesVersion is {shown(version)}, older than 1.{OLDEST_MINOR} or none"


def _no_patch(cluster: Resource) -> Iterator[str]:
    channel = cluster.at("autoUpgradeProfile", "upgradeChannel")
    version = cluster.at("kubernetesVersion")
    if channel in (None, UNKNOWN, "none") or version in (None, UNKNOWN):
        return
    if not re.fullmatch(r"1\.\d+", text(version)):
        yield f"kubernetesVersion {shown(version)} names a patch, and channel {channel} chooses it"


def _autoscaler_texts(cluster: Resource) -> Iterator[str]:
    for key, value in entries(cluster.at("autoScalerProfile")).items():
        may_be_flag = key.startswith("daemonset") or key == "ignoreDaemonsetsUtilization"
        if value is not UNKNOWN and not isinstance(value, str) and not may_be_flag:
            yield f"autoScalerProfile.{key} is {shown(value)}; AKS takes texts alone"


def _windows(stack: Stack) -> Iterator[Finding]:
    windows = stack.of_type(MAINTENANCE)
    # An update's outputs have the name under `name`, and no `configName`.
    declared = [window.at(key) for window in windows for key in ("configName", "name")]
    for cluster in stack.of_type(CLUSTER):
        for key, window in WINDOWS.items():
            channel = text(cluster.at("autoUpgradeProfile", key)).lower()
            if channel not in ("", "none") and not any(may_equal(one, window) for one in declared):
                yield Finding(cluster, f"{key} is {channel}, and there is no window {window}")


def _window_length(window: Resource) -> Iterator[str]:
    hours = window.at("maintenanceWindow", "durationHours")
    if hours is not UNKNOWN and (number(hours) or 0) < SHORTEST_WINDOW_HOURS:
        yield f"durationHours is {shown(hours)}, less than {SHORTEST_WINDOW_HOURS}"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="aks-image-cleaner", types=(CLUSTER,),
        description="Unused vulnerable images are removed from nodes",
        severity=Severity.LOW,
        remediation="Enable security_profile.image_cleaner with interval_hours of at least 24",
        sources=(aks("image-cleaner"),),
        check=_image_cleaner,
    ),
    ResourceRule(
        name="aks-auto-upgrade", types=(CLUSTER,),
        description="In production AKS upgrades Kubernetes by itself",
        severity=Severity.MEDIUM,
        remediation="Set cluster.upgrades.channel: patch or stable",
        sources=(psrule("Azure.AKS.AutoUpgrade"), checkov("CKV_AZURE_171")),
        check=wants("autoUpgradeProfile.upgradeChannel", "patch", "stable"),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-node-image-upgrade", types=(CLUSTER,),
        description="In production AKS upgrades the nodes' operating system by itself",
        severity=Severity.MEDIUM,
        remediation="Set cluster.upgrades.node_image_channel: NodeImage or SecurityPatch",
        sources=(psrule("Azure.AKS.NodeAutoUpgrade"),),
        check=wants("autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage", "SecurityPatch"),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-supported-version", types=(CLUSTER,),
        description="The Kubernetes version is one that Azure supports",
        severity=Severity.HIGH,
        remediation="Raise cluster.kubernetes_version",
        sources=(psrule("Azure.AKS.Version"), aks("supported-kubernetes-versions")),
        check=_supported_version,
    ),
    ResourceRule(
        name="aks-version-without-patch", types=(CLUSTER,),
        description="Where AKS upgrades by itself, the version names no patch",
        severity=Severity.MEDIUM,
        remediation="Give kubernetes_version as major.minor, or every upgrade shows as a change",
        sources=(issue("Azure/AKS", 3573),),
        check=_no_patch,
    ),
    ResourceRule(
        name="aks-autoscaler-texts", types=(CLUSTER,),
        description="The autoscaler's settings are texts, as AKS takes them",
        severity=Severity.MEDIUM,
        remediation='Write "10m", "600" and "true", with the quotes',
        sources=(aks("cluster-autoscaler"),),
        check=_autoscaler_texts,
    ),
    StackRule(
        name="aks-maintenance-windows",
        description="What AKS upgrades by itself, it upgrades in a window",
        severity=Severity.MEDIUM,
        remediation="Declare both MaintenanceConfigurations",
        sources=(psrule("Azure.AKS.MaintenanceWindow"), aks("planned-maintenance")),
        check=_windows,
    ),
    ResourceRule(
        name="aks-maintenance-window-length", types=(MAINTENANCE,),
        description="A maintenance window is long enough for AKS to use it",
        severity=Severity.MEDIUM,
        remediation="Set duration_hours to 4 or more",
        sources=(aks("planned-maintenance"),),
        check=_window_length,
    ),
)  # fmt: skip
