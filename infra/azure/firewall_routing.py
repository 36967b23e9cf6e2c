"""How requests go through the Application Gateway, from the public address to the gateway behind.

An Application Gateway is one resource whose parts name each other by id.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.firewall_policy import ACME_PATH
from infra.sections.gateway import GatewaySettings

PUBLIC = "public"
HTTP = "http"
HTTPS = "https"
CERTIFICATE = "certificate"
GATEWAY = "gateway"
TO_HTTPS = "to-https"
CHALLENGES = "challenges"
CLIENT_ADDRESS = "client-address"
PROBE_PATH = "/faq/livez"
ANY_ANSWER = "200-599"
"""The probe asks whether the gateway answers at all. There is one backend, so a service that is
away must not take the others with it."""
DRAIN_SECONDS = 30


@dataclass(frozen=True)
class Routing:
    """The parts of an Application Gateway that say where requests go.

    Attributes:
        gateway: host name, certificate, address of the gateway behind.
        id: resource id of the Application Gateway, by which its parts name each other.
        address_id: the public address.
    """

    gateway: GatewaySettings
    id: pulumi.Output[str]
    address_id: pulumi.Input[str]

    @property
    def passes_challenges(self) -> bool:
        """Whether cert-manager, behind, must be reachable over plain HTTP.

        Without that there would be no first certificate: HTTPS to the gateway behind fails until
        it has one.
        """
        return self.gateway.tls.issuer.startswith("acme")

    def certificates(self) -> list[azure.network.ApplicationGatewaySslCertificateArgs]:
        """The certificate, by an address without a version: a renewed one is taken by itself."""
        return [
            azure.network.ApplicationGatewaySslCertificateArgs(
                name=CERTIFICATE, key_vault_secret_id=self.gateway.firewall_certificate_id
            )
        ]

    def frontends(self) -> list[azure.network.ApplicationGatewayFrontendIPConfigurationArgs]:
        """The public address."""
        return [
            azure.network.ApplicationGatewayFrontendIPConfigurationArgs(
                name=PUBLIC, public_ip_address=azure.network.SubResourceArgs(id=self.address_id)
            )
        ]

    def ports(self) -> list[azure.network.ApplicationGatewayFrontendPortArgs]:
        """HTTP and HTTPS."""
        return [
            azure.network.ApplicationGatewayFrontendPortArgs(name=HTTP, port=80),
            azure.network.ApplicationGatewayFrontendPortArgs(name=HTTPS, port=443),
        ]

    def listeners(self) -> list[azure.network.ApplicationGatewayHttpListenerArgs]:
        """For our host name alone: scans by address find nothing."""
        protocol = azure.network.ApplicationGatewayProtocol
        return [
            self._listener(HTTP, protocol.HTTP, certificate=None),
            self._listener(HTTPS, protocol.HTTPS, self._part("sslCertificates", CERTIFICATE)),
        ]

    def backends(self) -> list[azure.network.ApplicationGatewayBackendAddressPoolArgs]:
        """The gateway behind, by its address inside the network."""
        return [
            azure.network.ApplicationGatewayBackendAddressPoolArgs(
                name=GATEWAY,
                backend_addresses=[
                    azure.network.ApplicationGatewayBackendAddressArgs(
                        ip_address=self.gateway.internal_address
                    )
                ],
            )
        ]

    def backend_settings(self) -> list[azure.network.ApplicationGatewayBackendHttpSettingsArgs]:
        """HTTPS to the gateway behind, whose certificate must bear the host name."""
        protocol = azure.network.ApplicationGatewayProtocol
        settings = [self._backend(GATEWAY, protocol.HTTPS, 443, self._part("probes", GATEWAY))]
        if self.passes_challenges:
            settings.append(self._backend(CHALLENGES, protocol.HTTP, 80, probe=None))
        return settings

    def probes(self) -> list[azure.network.ApplicationGatewayProbeArgs]:
        """Whether the gateway behind answers."""
        return [
            azure.network.ApplicationGatewayProbeArgs(
                name=GATEWAY,
                protocol=azure.network.ApplicationGatewayProtocol.HTTPS,
                host=self.gateway.host_name,
                path=PROBE_PATH,
                interval=10,
                timeout=5,
                unhealthy_threshold=3,
                match=azure.network.ApplicationGatewayProbeHealthResponseMatchArgs(
                    status_codes=[ANY_ANSWER]
                ),
            )
        ]

    def redirects(self) -> list[azure.network.ApplicationGatewayRedirectConfigurationArgs]:
        """From HTTP to HTTPS, for good."""
        return [
            azure.network.ApplicationGatewayRedirectConfigurationArgs(
                name=TO_HTTPS,
                redirect_type=azure.network.ApplicationGatewayRedirectType.PERMANENT,
                target_listener=self._part("httpListeners", HTTPS),
                include_path=True,
                include_query_string=True,
            )
        ]

    def path_maps(self) -> list[azure.network.ApplicationGatewayUrlPathMapArgs] | None:
        """ACME challenges stay on HTTP; all else is redirected."""
        if not self.passes_challenges:
            return None
        return [
            azure.network.ApplicationGatewayUrlPathMapArgs(
                name=HTTP,
                default_redirect_configuration=self._part("redirectConfigurations", TO_HTTPS),
                path_rules=[
                    azure.network.ApplicationGatewayPathRuleArgs(
                        name=CHALLENGES,
                        paths=[f"{ACME_PATH}*"],
                        backend_address_pool=self._part("backendAddressPools", GATEWAY),
                        backend_http_settings=self._part(
                            "backendHttpSettingsCollection", CHALLENGES
                        ),
                    )
                ],
            )
        ]

    def rewrites(self) -> list[azure.network.ApplicationGatewayRewriteRuleSetArgs]:
        """Who the client is, for the gateway behind: its address, without what the client wrote.

        Application Gateway would add the client's port as well, which Envoy takes for no address
        (learn.microsoft.com/azure/application-gateway/rewrite-http-headers-url).
        """
        return [
            azure.network.ApplicationGatewayRewriteRuleSetArgs(
                name=CLIENT_ADDRESS,
                rewrite_rules=[
                    azure.network.ApplicationGatewayRewriteRuleArgs(
                        name=CLIENT_ADDRESS,
                        rule_sequence=100,
                        action_set=azure.network.ApplicationGatewayRewriteRuleActionSetArgs(
                            request_header_configurations=[
                                azure.network.ApplicationGatewayHeaderConfigurationArgs(
                                    header_name="X-Forwarded-For", header_value="{var_client_ip}"
                                )
                            ]
                        ),
                    )
                ],
            )
        ]

    def rules(self) -> list[azure.network.ApplicationGatewayRequestRoutingRuleArgs]:
        """What each listener does with its requests."""
        kind = azure.network.ApplicationGatewayRequestRoutingRuleType
        by_path = self.passes_challenges
        return [
            azure.network.ApplicationGatewayRequestRoutingRuleArgs(
                name=HTTPS,
                priority=100,
                rule_type=kind.BASIC,
                http_listener=self._part("httpListeners", HTTPS),
                backend_address_pool=self._part("backendAddressPools", GATEWAY),
                backend_http_settings=self._part("backendHttpSettingsCollection", GATEWAY),
                rewrite_rule_set=self._part("rewriteRuleSets", CLIENT_ADDRESS),
            ),
            azure.network.ApplicationGatewayRequestRoutingRuleArgs(
                name=HTTP,
                priority=200,
                rule_type=kind.PATH_BASED_ROUTING if by_path else kind.BASIC,
                http_listener=self._part("httpListeners", HTTP),
                url_path_map=self._part("urlPathMaps", HTTP) if by_path else None,
                redirect_configuration=None
                if by_path
                else self._part("redirectConfigurations", TO_HTTPS),
            ),
        ]

    def _listener(
        self,
        name: str,
        protocol: azure.network.ApplicationGatewayProtocol,
        certificate: azure.network.SubResourceArgs | None,
    ) -> azure.network.ApplicationGatewayHttpListenerArgs:
        return azure.network.ApplicationGatewayHttpListenerArgs(
            name=name,
            protocol=protocol,
            frontend_ip_configuration=self._part("frontendIPConfigurations", PUBLIC),
            frontend_port=self._part("frontendPorts", name),
            host_names=[self.gateway.host_name],
            ssl_certificate=certificate,
        )

    def _backend(
        self,
        name: str,
        protocol: azure.network.ApplicationGatewayProtocol,
        port: int,
        probe: azure.network.SubResourceArgs | None,
    ) -> azure.network.ApplicationGatewayBackendHttpSettingsArgs:
        return azure.network.ApplicationGatewayBackendHttpSettingsArgs(
            name=name,
            protocol=protocol,
            port=port,
            host_name=self.gateway.host_name,
            cookie_based_affinity=azure.network.ApplicationGatewayCookieBasedAffinity.DISABLED,
            request_timeout=self.gateway.request_timeout_seconds,
            probe=probe,
            connection_draining=azure.network.ApplicationGatewayConnectionDrainingArgs(
                enabled=True, drain_timeout_in_sec=DRAIN_SECONDS
            ),
        )

    def _part(self, kind: str, name: str) -> azure.network.SubResourceArgs:
        """A reference to another part of the same Application Gateway."""
        return azure.network.SubResourceArgs(id=pulumi.Output.concat(self.id, f"/{kind}/{name}"))
