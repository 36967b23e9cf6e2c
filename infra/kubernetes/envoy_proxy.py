"""The pods that carry all traffic, as Envoy Gateway is told to make them.

Every field: gateway.envoyproxy.io/v1.9/api/extension_types/#envoyproxy
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.kubernetes.gateway_log import access_log
from infra.kubernetes.places import GATEWAY_NAME, GATEWAY_OWNER_LABEL
from infra.scheduling import (
    HOST_LABEL,
    POOL_LABEL,
    PROXY_MEBIBYTES,
    PROXY_MILLICORES,
    SPOT_TAINT_KEY,
    SPOT_TAINT_VALUE,
    ZONE_LABEL,
)

if TYPE_CHECKING:
    from infra.settings import Settings

PROXY_USER = 65532
TARGET_CPU_PERCENT = 70
DRAIN_MARGIN_SECONDS = 15
"""Beyond the longest request, while the load balancer learns that the pod goes."""

LOAD_BALANCER = "service.beta.kubernetes.io/azure"
"""Source of the annotations: cloud-provider-azure.sigs.k8s.io/topics/loadbalancer"""


def proxy_spec(
    settings: Settings,
    *,
    address_name: pulumi.Input[str],
    resource_group_name: pulumi.Input[str],
) -> dict[str, object]:
    """The EnvoyProxy's specification."""
    gateway = settings.gateway
    return {
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "envoyDeployment": {
                    # No replicas here: the autoscaler owns them.
                    "strategy": {
                        "type": "RollingUpdate",
                        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
                    },
                    "pod": _pod(settings),
                    "container": _container(),
                },
                "envoyHpa": {
                    "minReplicas": gateway.replicas,
                    "maxReplicas": gateway.max_replicas,
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {
                                "name": "cpu",
                                "target": {
                                    "type": "Utilization",
                                    "averageUtilization": TARGET_CPU_PERCENT,
                                },
                            },
                        }
                    ],
                },
                # Never a minimum: with one proxy it would block every drain of a node.
                "envoyPDB": {"maxUnavailable": 1},
                "envoyService": _service(settings, address_name, resource_group_name),
            },
        },
        "shutdown": {
            "drainTimeout": f"{gateway.request_timeout_seconds + DRAIN_MARGIN_SECONDS}s",
            "minDrainDuration": f"{DRAIN_MARGIN_SECONDS}s",
        },
        "logging": {"level": {"default": "warn"}},
        "telemetry": {"accessLog": access_log()},
    }


def _pod(settings: Settings) -> dict[str, object]:
    spot = {
        "key": SPOT_TAINT_KEY,
        "operator": "Equal",
        "value": SPOT_TAINT_VALUE,
        "effect": "NoSchedule",
    }
    selector = {"matchLabels": {GATEWAY_OWNER_LABEL: GATEWAY_NAME}}
    return {
        "nodeSelector": {POOL_LABEL: "cpu"},
        "tolerations": [spot] if settings.cluster.cpu_pool.spot else [],
        "annotations": {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "19001",
            "prometheus.io/path": "/stats/prometheus",
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": PROXY_USER,
            "runAsGroup": PROXY_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selector,
            }
            for key in (ZONE_LABEL, HOST_LABEL)
        ],
    }


def _container() -> dict[str, object]:
    return {
        "resources": {
            # No CPU limit: throttling here would slow every request of both services.
            "requests": {"cpu": f"{PROXY_MILLICORES}m", "memory": f"{PROXY_MEBIBYTES}Mi"},
            "limits": {"memory": f"{PROXY_MEBIBYTES}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "runAsNonRoot": True,
            "runAsUser": PROXY_USER,
            "runAsGroup": PROXY_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _service(
    settings: Settings,
    address_name: pulumi.Input[str],
    resource_group_name: pulumi.Input[str],
) -> dict[str, object]:
    """The load balancer: on the stack's own public address, or inside behind the firewall.

    Azure probes the node's health port that `Local` brings, so that it sends requests to nodes
    with a proxy only; a probe of our own is not needed.
    """
    if settings.gateway.web_application_firewall == "off":
        annotations: dict[str, pulumi.Input[str]] = {
            f"{LOAD_BALANCER}-pip-name": address_name,
            f"{LOAD_BALANCER}-load-balancer-resource-group": resource_group_name,
        }
    else:
        annotations = {
            f"{LOAD_BALANCER}-load-balancer-internal": "true",
            f"{LOAD_BALANCER}-load-balancer-ipv4": settings.gateway.internal_address,
        }
    return {
        "type": "LoadBalancer",
        # Keeps the client's address, by which rates are limited and networks allowed.
        "externalTrafficPolicy": "Local",
        "annotations": annotations,
    }
