"""What the cluster needs before the services' own objects: Envoy Gateway and cert-manager.

They are Helm releases rather than Pulumi's Chart resources: both charts bring hooks (a job that
makes Envoy Gateway's certificates, a job that waits for cert-manager's webhook), which only Helm
itself runs in their place, and a release needs neither the cluster nor the chart for a preview.
Helm never upgrades definitions in a chart's `crds` folder: see docs/operations.md on upgrades.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.namespaces import Namespaces
from infra.settings import Settings

ENVOY_GATEWAY_CHART = "oci://docker.io/envoyproxy/gateway-helm"
ENVOY_GATEWAY_VERSION = "v1.9.1"
CERT_MANAGER_CHART = "oci://quay.io/jetstack/charts/cert-manager"
CERT_MANAGER_VERSION = "v1.21.0"
TIMEOUT_SECONDS = 600
"""The first release waits for the system pool to grow."""
KEPT_REVISIONS = 5
CONTROLLER_NAME = "gateway.envoyproxy.io/gatewayclass-controller"

SYSTEM_NODES = {"kubernetes.azure.com/mode": "system"}
SYSTEM_TOLERATIONS = [{"key": "CriticalAddonsOnly", "operator": "Exists", "effect": "NoSchedule"}]
"""Controllers run beside Kubernetes' own pods, away from the services' load and spot nodes."""


@dataclass(frozen=True)
class AddOnsArgs:
    """What the releases depend on."""

    settings: Settings
    namespaces: Namespaces


class AddOns(pulumi.ComponentResource):
    """The Helm releases, for `depends_on` of whatever uses the kinds that they bring.

    Attributes:
        gateway_controller: Envoy Gateway, with the Gateway API's definitions.
        cert_manager: None where the certificate exists already.
    """

    gateway_controller: kubernetes.helm.v3.Release
    cert_manager: kubernetes.helm.v3.Release | None

    def __init__(
        self, name: str, args: AddOnsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:AddOns", name, None, opts)
        replicas = 2 if args.settings.environment == "prod" else 1
        self.gateway_controller = _release(
            f"{name}-envoy-gateway", "envoy-gateway",
            (ENVOY_GATEWAY_CHART, ENVOY_GATEWAY_VERSION),
            args.namespaces.gateway,
            envoy_gateway_values(replicas),
            pulumi.ResourceOptions(parent=self, depends_on=[args.namespaces]),
        )  # fmt: skip
        self.cert_manager = None
        if args.namespaces.certificates is not None:
            self.cert_manager = _release(
                f"{name}-cert-manager", "cert-manager",
                (CERT_MANAGER_CHART, CERT_MANAGER_VERSION),
                args.namespaces.certificates,
                cert_manager_values(replicas),
                # It looks for the Gateway API's definitions once, when it starts.
                pulumi.ResourceOptions(
                    parent=self, depends_on=[args.namespaces, self.gateway_controller]
                ),
            )  # fmt: skip
        self.register_outputs(
            {
                "envoyGatewayVersion": ENVOY_GATEWAY_VERSION,
                "certManagerVersion": CERT_MANAGER_VERSION if self.cert_manager else None,
            }
        )


def envoy_gateway_values(replicas: int) -> dict[str, object]:
    """Values of Envoy Gateway's chart; what it is not told, it sets to `restricted` by itself.

    Source: gateway.envoyproxy.io/v1.9/install/gateway-helm-api
    """
    return {
        "deployment": {
            "replicas": replicas,
            "priorityClassName": "system-cluster-critical",
            "envoyGateway": {"resources": _resources(100, 512)},
            "pod": {"nodeSelector": SYSTEM_NODES, "tolerations": SYSTEM_TOLERATIONS},
        },
        "podDisruptionBudget": {"minAvailable": replicas - 1},
        "certgen": {
            "job": {
                "nodeSelector": SYSTEM_NODES,
                "tolerations": SYSTEM_TOLERATIONS,
                "resources": _resources(50, 128),
            }
        },
        "config": {
            "envoyGateway": {
                "gateway": {"controllerName": CONTROLLER_NAME},
                "provider": {"type": "Kubernetes"},
                "logging": {"level": {"default": "info"}},
            }
        },
        # A webhook in the way of every pod of the namespace, for zone-aware routing that is not
        # used.
        "topologyInjector": {"enabled": False},
    }


def cert_manager_values(replicas: int) -> dict[str, object]:
    """Values of cert-manager's chart, whose own security contexts are `restricted` already.

    Source: artifacthub.io/packages/helm/cert-manager/cert-manager
    """
    place = {"nodeSelector": SYSTEM_NODES, "tolerations": SYSTEM_TOLERATIONS}
    budget = {"enabled": replicas > 1, "maxUnavailable": 1}
    return {
        # Kept by Helm when the release goes, so that no certificate goes with it.
        "crds": {"enabled": True, "keep": True},
        # By default it elects its leader in kube-system, and so gets rights there.
        "global": {"leaderElection": {"namespace": "cert-manager"}},
        "config": {"enableGatewayAPI": True},
        "replicaCount": replicas,
        "podDisruptionBudget": budget,
        "resources": _resources(50, 256),
        **place,
        "webhook": {
            "replicaCount": replicas,
            "podDisruptionBudget": budget,
            "resources": _resources(50, 128),
            **place,
        },
        "cainjector": {"replicaCount": 1, "resources": _resources(50, 256), **place},
        "startupapicheck": {"resources": _resources(50, 128), **place},
    }


def _release(
    resource_name: str,
    name: str,
    chart: tuple[str, str],
    namespace: pulumi.Input[str],
    values: Mapping[str, object],
    opts: pulumi.ResourceOptions,
) -> kubernetes.helm.v3.Release:
    address, version = chart
    return kubernetes.helm.v3.Release(
        resource_name,
        kubernetes.helm.v3.ReleaseArgs(
            name=name,
            chart=address,
            version=version,
            namespace=namespace,
            create_namespace=False,
            values=values,
            timeout=TIMEOUT_SECONDS,
            max_history=KEPT_REVISIONS,
            # A first release that failed half-way would block the next try by its name.
            cleanup_on_fail=True,
            atomic=True,
        ),
        opts=opts,
    )


def _resources(millicores: int, mebibytes: int) -> dict[str, dict[str, str]]:
    memory = f"{mebibytes}Mi"
    return {
        "requests": {"cpu": f"{millicores}m", "memory": memory},
        "limits": {"memory": memory},
    }
