"""The way in: one Gateway with TLS, its proxies, routes and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.kubernetes.add_ons import CONTROLLER_NAME, AddOns
from infra.kubernetes.certificates import HTTP_LISTENER, Certificates, CertificatesArgs
from infra.kubernetes.custom_objects import (
    ENVOY_GROUP,
    ENVOY_PROXY,
    GATEWAY,
    GATEWAY_CLASS,
)
from infra.kubernetes.envoy_proxy import proxy_spec
from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import GATEWAY_NAME
from infra.kubernetes.routes import HTTPS_LISTENER, declare_routes, routes_of
from infra.kubernetes.traffic_policies import declare_traffic_policies
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.kubernetes.workloads import Workloads
    from infra.stacks.platform_outputs import PlatformOutputs

CLASS_NAME = "realtime-scoring"


@dataclass(frozen=True)
class ScoringGatewayArgs:
    """What the gateway depends on."""

    settings: Settings
    namespaces: Namespaces
    add_ons: AddOns
    workloads: Workloads
    platform: PlatformOutputs


class ScoringGateway(pulumi.ComponentResource):
    """The Gateway and all that hangs on it.

    Attributes:
        urls: where clients reach each workload, by its name.
    """

    urls: Mapping[str, str]

    def __init__(
        self, name: str, args: ScoringGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:ScoringGateway", name, None, opts)
        settings = args.settings
        namespace = args.namespaces.services
        opts_after = pulumi.ResourceOptions(
            parent=self, depends_on=[args.add_ons.gateway_controller]
        )
        certificates = Certificates(
            f"{name}-certificates",
            CertificatesArgs(settings, namespace, args.add_ons),
            pulumi.ResourceOptions(parent=self),
        )
        gateway_class = GATEWAY_CLASS.declare(
            f"{name}-class",
            object_meta(CLASS_NAME),
            {"controllerName": CONTROLLER_NAME},
            opts_after,
        )
        proxy = ENVOY_PROXY.declare(
            f"{name}-proxy",
            object_meta(GATEWAY_NAME, namespace),
            proxy_spec(
                settings,
                address_name=args.platform.gateway_address_name,
                resource_group_name=args.platform.resource_group_name,
            ),
            opts_after,
        )
        gateway = GATEWAY.declare(
            f"{name}-gateway",
            object_meta(GATEWAY_NAME, namespace),
            gateway_spec(settings.gateway.host_name, certificates.secret_name),
            pulumi.ResourceOptions(parent=self, depends_on=[gateway_class, proxy]),
        )
        policies = declare_traffic_policies(name, settings, namespace, self, gateway)
        # Routes come last, so that no request passes before its limits are there.
        after = [gateway, *policies]
        declare_routes(name, settings, namespace, args.workloads.backends, self, after)
        self.urls = {
            route.workload: route.url(settings.gateway.host_name) for route in routes_of(settings)
        }
        self.register_outputs({"urls": self.urls})


def gateway_spec(host_name: str, secret_name: str) -> dict[str, object]:
    """Two listeners: one that only redirects, and one where TLS ends."""
    only_ours = {"namespaces": {"from": "Same"}}
    certificate = {"group": "", "kind": "Secret", "name": secret_name}
    return {
        "gatewayClassName": CLASS_NAME,
        "infrastructure": {
            "parametersRef": {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": GATEWAY_NAME}
        },
        "listeners": [
            {
                "name": HTTP_LISTENER,
                "protocol": "HTTP",
                "port": 80,
                "hostname": host_name,
                "allowedRoutes": only_ours,
            },
            {
                "name": HTTPS_LISTENER,
                "protocol": "HTTPS",
                "port": 443,
                "hostname": host_name,
                "allowedRoutes": only_ours,
                "tls": {"mode": "Terminate", "certificateRefs": [certificate]},
            },
        ],
    }
