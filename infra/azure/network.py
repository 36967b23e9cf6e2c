"""The virtual network: subnets, who may reach them, the way out, protection, flow logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure import security_rules
from infra.azure.ddos import DdosPlan, DdosPlanArgs
from infra.azure.diagnostics import send_diagnostics
from infra.azure.flow_logs import FlowLogs, FlowLogsArgs
from infra.azure.outbound import Outbound, OutboundArgs
from infra.azure.peering import peer_with
from infra.azure.place import Place
from infra.azure.private_endpoint import Endpoints
from infra.sections.network import NetworkSettings

NODES = "nodes"
ENDPOINTS = "endpoints"
GATEWAY = "gateway"


@dataclass(frozen=True)
class NetworkArgs:
    """What :class:`Network` needs.

    Attributes:
        place: where it goes.
        settings: address ranges, outbound traffic, protection.
        zones: availability zones of the stack.
        workspace_id: where logs go.
        wants_endpoints: whether anything is reached by private endpoint.
        wants_firewall: whether a web application firewall stands before the gateway.
    """

    place: Place
    settings: NetworkSettings
    zones: Sequence[str]
    workspace_id: pulumi.Input[str]
    wants_endpoints: bool
    wants_firewall: bool


class Network(pulumi.ComponentResource):
    """A virtual network, or the subnets of one that exists already.

    Attributes:
        nodes_subnet_id: subnet of the nodes.
        endpoints: where private endpoints go; None where nothing wants any.
        gateway_subnet_id: subnet of the web application firewall; None without.
        ddos_plan_id: plan that protects the network; None without.
        egress_addresses: addresses from which the nodes call others; none are known of a network
            that exists already.
    """

    nodes_subnet_id: pulumi.Output[str]
    endpoints: Endpoints | None
    gateway_subnet_id: pulumi.Output[str] | None
    ddos_plan_id: pulumi.Output[str] | None
    egress_addresses: Sequence[pulumi.Output[str]]

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Network", name, None, opts)
        self.endpoints = None
        self.gateway_subnet_id = None
        self.ddos_plan_id = None
        if args.settings.existing_nodes_subnet_id is not None:
            self._take(args.settings, args.settings.existing_nodes_subnet_id)
        else:
            self._make(name, args)
        self.register_outputs(
            {
                "nodes_subnet_id": self.nodes_subnet_id,
                "gateway_subnet_id": self.gateway_subnet_id,
                "ddos_plan_id": self.ddos_plan_id,
                "egress_addresses": self.egress_addresses,
            }
        )

    def _take(self, settings: NetworkSettings, nodes_subnet_id: str) -> None:
        """Use subnets that exist already."""
        self.nodes_subnet_id = pulumi.Output.from_input(nodes_subnet_id)
        self.egress_addresses = ()
        if settings.existing_endpoints_subnet_id is not None:
            subnet_id = settings.existing_endpoints_subnet_id
            network_id = subnet_id.partition("/subnets/")[0]
            self.endpoints = Endpoints(
                subnet_id, network_id, existing_zone_ids=settings.existing_private_zone_ids
            )

    def _make(self, name: str, args: NetworkArgs) -> None:
        place = args.place
        outbound = Outbound(
            f"{name}-outbound",
            OutboundArgs(place, args.settings.nat, args.zones, args.workspace_id),
            pulumi.ResourceOptions(parent=self),
        )
        if args.settings.ddos.protection == "plan":
            plan = DdosPlan(
                f"{name}-ddos",
                DdosPlanArgs(place, args.settings.ddos.existing_plan_id),
                pulumi.ResourceOptions(parent=self),
            )
            self.ddos_plan_id = plan.id
        network = self._virtual_network(name, args, self._subnets(name, args, outbound))
        if args.settings.flow_logs.enabled:
            FlowLogs(
                f"{name}-flow-logs",
                FlowLogsArgs(
                    place,
                    args.settings.flow_logs,
                    network_id=network.id,
                    zone_redundant=bool(args.zones),
                    workspace_id=args.workspace_id,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        peer_with(f"{name}-peering", place, network, args.settings.peered_network_ids, self)
        self.nodes_subnet_id = _subnet_id(network, NODES)
        self.egress_addresses = outbound.addresses
        if args.wants_endpoints:
            self.endpoints = Endpoints(
                _subnet_id(network, ENDPOINTS),
                network.id,
                args.settings.peered_network_ids,
                args.settings.existing_private_zone_ids,
            )
        if args.wants_firewall:
            self.gateway_subnet_id = _subnet_id(network, GATEWAY)

    def _virtual_network(
        self, name: str, args: NetworkArgs, subnets: Sequence[azure.network.SubnetArgs]
    ) -> azure.network.VirtualNetwork:
        place = args.place
        plan_id = self.ddos_plan_id
        network = azure.network.VirtualNetwork(
            f"{name}-network",
            virtual_network_name=place.naming.resource("vnet"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            address_space=azure.network.AddressSpaceArgs(
                address_prefixes=[args.settings.address_space]
            ),
            # Inline only: subnets that are resources of their own would be removed again by
            # every update of the network.
            subnets=subnets,
            enable_ddos_protection=plan_id is not None,
            ddos_protection_plan=azure.network.SubResourceArgs(id=plan_id)
            if plan_id is not None
            else None,
            tags=place.tags,
            opts=place.keep(self),
        )
        place.locks.put_on(f"{name}-network", network)
        send_diagnostics(f"{name}-network", place, network, args.workspace_id, parent=self)
        return network

    def _subnets(
        self, name: str, args: NetworkArgs, outbound: Outbound
    ) -> list[azure.network.SubnetArgs]:
        settings = args.settings
        nodes_rules = (
            security_rules.of_nodes(settings.gateway_subnet, settings.nodes_subnet)
            if args.wants_firewall
            else security_rules.of_nodes("Internet", "*")
        )
        subnets = [self._subnet(name, args, NODES, settings.nodes_subnet, nodes_rules, outbound.id)]
        if args.wants_endpoints:
            rules = security_rules.of_endpoints(settings.endpoints_subnet)
            subnets.append(self._subnet(name, args, ENDPOINTS, settings.endpoints_subnet, rules))
        if args.wants_firewall:
            rules = security_rules.of_firewall()
            subnets.append(self._subnet(name, args, GATEWAY, settings.gateway_subnet, rules))
        return subnets

    def _subnet(
        self,
        name: str,
        args: NetworkArgs,
        part: str,
        address_range: str,
        rules: Sequence[azure.network.SecurityRuleArgs],
        nat_gateway_id: pulumi.Input[str] | None = None,
    ) -> azure.network.SubnetArgs:
        place = args.place
        group = azure.network.NetworkSecurityGroup(
            f"{name}-{part}-rules",
            network_security_group_name=place.naming.resource("nsg", part),
            resource_group_name=place.resource_group_name,
            location=place.location,
            security_rules=rules,
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        send_diagnostics(
            f"{name}-{part}-rules", place, group, args.workspace_id, metrics=False, parent=self
        )
        policies = azure.network.VirtualNetworkPrivateEndpointNetworkPolicies
        return azure.network.SubnetArgs(
            name=part,
            address_prefix=address_range,
            network_security_group=azure.network.NetworkSecurityGroupArgs(id=group.id),
            nat_gateway=azure.network.SubResourceArgs(id=nat_gateway_id)
            if nat_gateway_id is not None
            else None,
            # Can only be chosen when the subnet is made: nothing goes out but by the NAT gateway.
            default_outbound_access=False,
            # Without it the rules above do not hold for private endpoints.
            private_endpoint_network_policies=policies.NETWORK_SECURITY_GROUP_ENABLED
            if part == ENDPOINTS
            else policies.DISABLED,
        )


def _subnet_id(network: azure.network.VirtualNetwork, part: str) -> pulumi.Output[str]:
    return pulumi.Output.concat(network.id, "/subnets/", part)
