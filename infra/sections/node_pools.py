"""Settings of the node pools."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from infra.sections.base import Section, VmSize
from infra.sections.forms import matching

PoolName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-z][a-z0-9]{0,11}", "1 to 12 lower-case letters and digits, a letter first")
    ),
]
"""AKS allows 12 characters for Linux pools."""
Surge = Annotated[
    str,
    AfterValidator(
        matching(r"([1-9]\d?|100)%?", 'a number or percentage in quotes, such as "33%"')
    ),
]


class PoolSettings(Section):
    """What every pool has. Pools always scale by themselves between two bounds."""

    vm_size: VmSize = Field(default="Standard_D4ds_v5", description="VM size of the nodes")
    min_nodes: int = Field(default=1, ge=0, le=1000, description="fewest nodes")
    max_nodes: int = Field(default=3, ge=1, le=1000, description="most nodes")
    os_disk_gb: int = Field(
        default=64,
        ge=30,
        le=2048,
        description="size of the ephemeral OS disk; must fit the VM's own disk",
    )
    max_pods: int = Field(default=60, ge=50, le=250, description="most pods on one node")
    max_surge: Surge = Field(
        default="33%", description="nodes added while upgrading, as a number or percentage"
    )


class SystemPoolSettings(PoolSettings):
    """The pool of Kubernetes' own pods; nothing else runs there."""

    name: PoolName = Field(default="system", description="name of the pool")
    min_nodes: int = Field(
        default=1, ge=1, le=100, description="fewest nodes; 3 for high availability"
    )
    vm_size: VmSize = Field(default="Standard_D2ds_v5", description="VM size of the nodes")


class CpuPoolSettings(PoolSettings):
    """The pool of the services that need no GPU."""

    name: PoolName = Field(
        default="cpu",
        description="name of the pool; a new name makes a new pool before the old one goes",
    )
    max_nodes: int = Field(default=5, ge=1, le=1000, description="most nodes")
    spot: bool = Field(
        default=False, description="use spot VMs, which Azure may take away at any time"
    )


class GpuPoolSettings(PoolSettings):
    """The pool of the services that need a GPU; every pod gets one GPU of its own."""

    name: PoolName = Field(default="gpu", description="name of the pool")
    vm_size: VmSize = Field(
        default="Standard_NC4as_T4_v3", description="VM size of the nodes, one with NVIDIA GPUs"
    )
    min_nodes: int = Field(
        default=0, ge=0, le=1000, description="fewest nodes; 0 lets the pool go empty"
    )
    os_disk_gb: int = Field(
        default=128, ge=64, le=2048, description="size of the OS disk; GPU images take gigabytes"
    )
    spot: bool = Field(
        default=False, description="use spot VMs, which Azure may take away at any time"
    )
    spot_max_price_usd: float = Field(
        default=-1.0,
        ge=-1.0,
        description="most US dollars an hour for a spot VM; -1 for the usual price",
    )
    mig_profile: Literal["MIG1g", "MIG2g", "MIG3g", "MIG4g", "MIG7g"] | None = Field(
        default=None, description="cut each GPU of an A100 or H100 into instances of this size"
    )
    time_slices: int = Field(
        default=1, ge=1, le=16,
        description="pods that share one GPU in turn; 1 gives every pod a GPU of its own, as "
        "isolation and predictable latency need",
    )  # fmt: skip
