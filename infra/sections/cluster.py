"""Settings of the Kubernetes cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from infra.sections.base import Network, Section, Zone
from infra.sections.forms import matching
from infra.sections.node_pools import CpuPoolSettings, GpuPoolSettings, SystemPoolSettings

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
TimeOfDay = Annotated[
    str, AfterValidator(matching(r"([01]\d|2[0-3]):[0-5]\d", 'a time of day such as "02:00"'))
]
UtcOffset = Annotated[
    str,
    AfterValidator(matching(r"[+-](0\d|1[0-4]):[0-5]\d", 'an offset from UTC such as "+01:00"')),
]
MinorVersion = Annotated[
    str, AfterValidator(matching(r"1\.\d{2}", 'major.minor in quotes, such as "1.36"'))
]


class MaintenanceSettings(Section):
    """When Azure may upgrade the cluster or its nodes' images."""

    day: Weekday = Field(default="Sunday", description="day of the week")
    start_time: TimeOfDay = Field(default="02:00", description="when the window opens, HH:MM")
    utc_offset: UtcOffset = Field(default="+00:00", description="offset of start_time from UTC")
    duration_hours: int = Field(default=4, ge=4, le=24, description="length of the window")


class UpgradeSettings(Section):
    """What Azure upgrades by itself, and when."""

    channel: Literal["none", "patch", "stable"] = Field(
        default="patch",
        description="upgrades of Kubernetes: patch keeps the minor version of kubernetes_version",
    )
    node_image_channel: Literal["None", "SecurityPatch", "NodeImage"] = Field(
        default="NodeImage", description="upgrades of the nodes' operating system"
    )
    cluster_window: MaintenanceSettings = Field(
        default_factory=MaintenanceSettings, description="window of Kubernetes upgrades"
    )
    node_window: MaintenanceSettings = Field(
        default_factory=lambda: MaintenanceSettings(day="Saturday"),
        description="window of operating system upgrades",
    )


class AutoscalerSettings(Section):
    """The cluster autoscaler, which adds and removes nodes."""

    expander: Literal["least-waste", "random", "most-pods"] = Field(
        default="least-waste",
        description="which pool grows when several could take the waiting pods",
    )
    scan_interval_seconds: int = Field(default=10, ge=10, le=300, description="how often it looks")
    scale_down_unneeded_minutes: int = Field(
        default=10, ge=1, le=120, description="how long a node must be idle before it is removed"
    )
    scale_down_after_add_minutes: int = Field(
        default=15, ge=1, le=120,
        description="how long after adding a node none is removed; a GPU node takes ten minutes "
        "to become useful",
    )  # fmt: skip
    node_provision_minutes: int = Field(
        default=20,
        ge=5,
        le=60,
        description="how long a new node may take; GPU drivers install meanwhile",
    )


class ClusterSettings(Section):
    """The AKS cluster."""

    kubernetes_version: MinorVersion = Field(
        default="1.36", description="major.minor; the upgrade channel chooses the patch"
    )
    tier: Literal["Free", "Standard", "Premium"] = Field(
        default="Free", description="Free has no uptime agreement; Premium adds long-term support"
    )
    zones: tuple[Zone, ...] = Field(
        default=(),
        max_length=3,
        description="availability zones of nodes and addresses; empty for none",
    )
    private: bool = Field(
        default=False, description="give the API server no public address; `pulumi up` then needs to run "
        "inside the network"
    )  # fmt: skip
    authorized_ip_ranges: tuple[Network, ...] = Field(
        default=(), max_length=200,
        description="networks that may reach the API server; the NAT gateway is always added",
    )  # fmt: skip
    vertical_pod_autoscaler: bool = Field(
        default=False, description="install the vertical pod autoscaler, which recommends requests"
    )
    image_cleaner_hours: int = Field(
        default=48,
        ge=24,
        le=2160,
        description="how often unused vulnerable images are removed from nodes",
    )
    cost_analysis: bool = Field(
        default=False,
        description="show costs by namespace in Azure; needs tier Standard or Premium",
    )
    upgrades: UpgradeSettings = Field(
        default_factory=UpgradeSettings, description="upgrades and their windows"
    )
    autoscaler: AutoscalerSettings = Field(
        default_factory=AutoscalerSettings, description="the cluster autoscaler"
    )
    system_pool: SystemPoolSettings = Field(
        default_factory=SystemPoolSettings, description="nodes of Kubernetes' own pods"
    )
    cpu_pool: CpuPoolSettings = Field(
        default_factory=CpuPoolSettings, description="nodes of the services that need no GPU"
    )
    gpu_pool: GpuPoolSettings | None = Field(
        default=None, description="nodes with NVIDIA GPUs; none by default"
    )
