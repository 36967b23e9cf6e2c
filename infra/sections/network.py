"""Settings of the network: address ranges, outbound traffic, protection from floods."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.sections.base import Address, Network, ResourceId, Section


class NatSettings(Section):
    """The NAT gateway, through which all outbound traffic leaves."""

    public_ips: int = Field(
        default=1, ge=1, le=16, description="addresses of the NAT gateway; 64,512 ports each"
    )
    idle_timeout_minutes: int = Field(
        default=4,
        ge=4,
        le=120,
        description="after so long without traffic a connection is forgotten",
    )


class DdosSettings(Section):
    """Azure DDoS protection of the public address."""

    protection: Literal["none", "ip", "plan"] = Field(
        default="none",
        description="none: Azure's basic protection only; ip: DDoS IP Protection of the gateway's "
        "address; plan: DDoS Network Protection of the virtual network (the dearest)",
    )
    existing_plan_id: ResourceId | None = Field(
        default=None,
        description="a DDoS protection plan that exists already, shared by many networks; without "
        "one, protection 'plan' makes its own",
    )


class FlowLogSettings(Section):
    """Flow logs of the virtual network."""

    enabled: bool = Field(
        default=False, description="write flow logs of the virtual network to storage"
    )
    retention_days: int = Field(default=30, ge=1, le=365, description="how long flow logs are kept")


class NetworkSettings(Section):
    """Addresses and the way in and out."""

    address_space: Network = Field(
        default="10.40.0.0/16", description="range of the virtual network"
    )
    nodes_subnet: Network = Field(
        default="10.40.0.0/22", description="range of the nodes' addresses"
    )
    endpoints_subnet: Network = Field(
        default="10.40.4.0/24", description="range of private endpoints (registry, key vault)"
    )
    gateway_subnet: Network = Field(
        default="10.40.5.0/24", description="range of the web application firewall's gateway"
    )
    pod_range: Network = Field(
        default="10.244.0.0/16", description="range of pod addresses (overlay)"
    )
    service_range: Network = Field(
        default="10.41.0.0/16", description="range of Kubernetes services"
    )
    dns_service_address: Address = Field(
        default="10.41.0.10", description="address of the cluster's DNS, inside service_range"
    )
    existing_nodes_subnet_id: ResourceId | None = Field(
        default=None,
        description="a subnet that exists already, with its own way out; the stack then makes no "
        "virtual network, NAT gateway or network security group",
    )
    existing_endpoints_subnet_id: ResourceId | None = Field(
        default=None, description="a subnet that exists already for private endpoints"
    )
    peered_network_ids: tuple[ResourceId, ...] = Field(
        default=(), max_length=50,
        description="virtual networks from which a private API server, registry or key vault are "
        "reached, such as the one of CI's runners; each needs its own peering back to this network",
    )  # fmt: skip
    existing_private_zone_ids: tuple[ResourceId, ...] = Field(
        default=(), max_length=10,
        description="private DNS zones that exist already, such as a hub's privatelink.azurecr.io; "
        "the stack's endpoints then register there, and it neither makes nor links zones of the "
        "same names, which Azure would refuse",
    )  # fmt: skip
    nat: NatSettings = Field(default_factory=NatSettings, description="outbound traffic")
    ddos: DdosSettings = Field(default_factory=DdosSettings, description="DDoS protection")
    flow_logs: FlowLogSettings = Field(
        default_factory=FlowLogSettings, description="flow logs of the virtual network"
    )
