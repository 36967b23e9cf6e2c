"""The web application firewall: an Application Gateway in front of the cluster's gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.firewall_policy import FirewallPolicy, FirewallPolicyArgs
from infra.azure.firewall_routing import Routing
from infra.azure.place import Place
from infra.azure.roles import KEY_VAULT_SECRETS_USER, Grant, assign
from infra.azure.user_identity import user_identity
from infra.sections.gateway import GatewaySettings

MOST_UNITS = 10
"""Each unit takes ten requests a second through the rules
(learn.microsoft.com/azure/application-gateway/understanding-pricing)."""


@dataclass(frozen=True)
class FirewallArgs:
    """What :class:`Firewall` needs.

    Attributes:
        place: where it goes.
        gateway: host name, certificate, limits, address of the gateway behind.
        subnet_id: a subnet that nothing else uses.
        address_id: the public address.
        zones: availability zones of the gateway.
        workspace_id: where logs go.
    """

    place: Place
    gateway: GatewaySettings
    subnet_id: pulumi.Input[str]
    address_id: pulumi.Input[str]
    zones: Sequence[str]
    workspace_id: pulumi.Input[str]


class Firewall(pulumi.ComponentResource):
    """An Application Gateway of the tier with the firewall.

    Attributes:
        id: resource id of the Application Gateway.
    """

    id: pulumi.Output[str]

    def __init__(
        self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Firewall", name, None, opts)
        policy = FirewallPolicy(
            f"{name}-policy",
            FirewallPolicyArgs(args.place, args.gateway),
            pulumi.ResourceOptions(parent=self),
        )
        identity, permission = self._certificate_reader(name, args)
        gateway = self._gateway(name, args, policy, identity, permission)
        send_diagnostics(f"{name}-gateway", args.place, gateway, args.workspace_id, parent=self)
        self.id = gateway.id
        self.register_outputs({"id": self.id})

    def _certificate_reader(
        self, name: str, args: FirewallArgs
    ) -> tuple[azure.managedidentity.UserAssignedIdentity, pulumi.Resource]:
        place, vault_id = args.place, args.gateway.firewall_certificate_vault_id
        if vault_id is None:
            raise ValueError("the firewall needs the key vault of its certificate")
        identity = user_identity(f"{name}-identity", place, "firewall", self)
        permission = assign(
            f"{name}-certificate",
            place,
            Grant(
                role_id=KEY_VAULT_SECRETS_USER,
                scope=vault_id,
                principal_id=identity.principal_id,
                principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                description="The web application firewall reads its certificate.",
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return identity, permission

    def _gateway(
        self,
        name: str,
        args: FirewallArgs,
        policy: FirewallPolicy,
        identity: azure.managedidentity.UserAssignedIdentity,
        permission: pulumi.Resource,
    ) -> azure.network.ApplicationGateway:
        place, gateway = args.place, args.gateway
        gateway_name = place.naming.resource("agw")
        routing = Routing(
            gateway,
            pulumi.Output.concat(
                place.resource_group_id,
                "/providers/Microsoft.Network/applicationGateways/",
                gateway_name,
            ),
            args.address_id,
        )
        return azure.network.ApplicationGateway(
            f"{name}-gateway",
            application_gateway_name=gateway_name,
            resource_group_name=place.resource_group_name,
            location=place.location,
            sku=azure.network.ApplicationGatewaySkuArgs(
                name=azure.network.ApplicationGatewaySkuName.WA_F_V2,
                tier=azure.network.ApplicationGatewayTier.WA_F_V2,
            ),
            autoscale_configuration=azure.network.ApplicationGatewayAutoscaleConfigurationArgs(
                # One unit in one zone is no use where the stack means to survive a zone's loss.
                min_capacity=2 if len(args.zones) > 1 else 1,
                max_capacity=MOST_UNITS,
            ),
            zones=list(args.zones) or None,
            identity=azure.network.ManagedServiceIdentityArgs(
                type=azure.network.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[identity.id],
            ),
            firewall_policy=azure.network.SubResourceArgs(id=policy.id),
            enable_http2=True,
            ssl_policy=_tls_policy(gateway),
            ssl_certificates=routing.certificates(),
            gateway_ip_configurations=[
                azure.network.ApplicationGatewayIPConfigurationArgs(
                    name="gateway", subnet=azure.network.SubResourceArgs(id=args.subnet_id)
                )
            ],
            frontend_ip_configurations=routing.frontends(),
            frontend_ports=routing.ports(),
            http_listeners=routing.listeners(),
            backend_address_pools=routing.backends(),
            backend_http_settings_collection=routing.backend_settings(),
            probes=routing.probes(),
            redirect_configurations=routing.redirects(),
            url_path_maps=routing.path_maps(),
            rewrite_rule_sets=routing.rewrites(),
            request_routing_rules=routing.rules(),
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )


def _tls_policy(gateway: GatewaySettings) -> azure.network.ApplicationGatewaySslPolicyArgs:
    """TLS 1.2 with forward secrecy and authenticated encryption only, and TLS 1.3.

    Source: learn.microsoft.com/azure/application-gateway/application-gateway-ssl-policy-overview
    """
    if gateway.tls.minimum_version == "1.3":
        # There is no ready-made policy for it; TLS 1.3 brings its own cipher suites.
        return azure.network.ApplicationGatewaySslPolicyArgs(
            policy_type=azure.network.ApplicationGatewaySslPolicyType.CUSTOM_V2,
            min_protocol_version=azure.network.ApplicationGatewaySslProtocol.TL_SV1_3,
        )
    return azure.network.ApplicationGatewaySslPolicyArgs(
        policy_type=azure.network.ApplicationGatewaySslPolicyType.PREDEFINED,
        policy_name=azure.network.ApplicationGatewaySslPolicyName.APP_GW_SSL_POLICY20220101_S,
    )
