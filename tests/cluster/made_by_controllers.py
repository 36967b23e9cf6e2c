"""What controllers make of the stack's objects that do not run here.

Envoy Gateway's Deployment follows the EnvoyProxy (internal/infrastructure/kubernetes/proxy of
v1.9.1), with its second container as the controller sets it; KEDA's autoscaler follows the
ScaledObject (pkg/scaling of 2.x names it keda-hpa-NAME).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from infra.kubernetes.places import GATEWAY_NAME, GATEWAY_NAMESPACE, GATEWAY_OWNER_LABEL
from tests.cluster.api import Object

PROXY_LABELS = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
    GATEWAY_OWNER_LABEL: GATEWAY_NAME,
    "gateway.envoyproxy.io/owning-gateway-namespace": "scoring",
}
KEDA_LABEL = "scaledobject.keda.sh/name"
KEDA_LABELS = {KEDA_LABEL: "resnet"}
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def made_of(objects: Iterable[Object]) -> Iterator[Object]:
    """The Deployments, autoscalers and budgets that follow from a stack's objects."""
    for found in objects:
        if found["kind"] == "EnvoyProxy":
            yield from _proxies(found["spec"]["provider"]["kubernetes"])
        if found["kind"] == "ScaledObject":
            yield _autoscaler_of_keda(found)


def _proxies(declared: Object) -> Iterator[Object]:
    metadata = {"name": "envoy-scoring", "namespace": GATEWAY_NAMESPACE, "labels": PROXY_LABELS}
    deployment, pod = declared["envoyDeployment"], declared["envoyDeployment"]["pod"]
    containers: list[Any] = [
        {"name": "envoy", "image": "envoy", **deployment["container"]},
        {
            "name": "shutdown-manager",
            "image": "envoy-gateway",
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
            "securityContext": RESTRICTED,
        },
    ]
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": PROXY_LABELS},
            "strategy": deployment["strategy"],
            "template": {
                "metadata": {"labels": PROXY_LABELS, "annotations": pod["annotations"]},
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": containers,
                    **{key: value for key, value in pod.items() if key != "annotations"},
                },
            },
        },
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"]}
    yield {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {"scaleTargetRef": target, **declared["envoyHpa"]},
    }
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {"selector": {"matchLabels": PROXY_LABELS}, **declared["envoyPDB"]},
    }


def _autoscaler_of_keda(scaled: Object) -> Object:
    """With its bounds, and the metric that KEDA makes of its only trigger."""
    spec = scaled["spec"]
    selector = {"matchLabels": {KEDA_LABEL: scaled["metadata"]["name"]}}
    metric = {
        "metric": {"name": "s0-prometheus", "selector": selector},
        "target": {
            "type": "AverageValue",
            "averageValue": spec["triggers"][0]["metadata"]["threshold"],
        },
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": f"keda-hpa-{scaled['metadata']['name']}",
            "namespace": scaled["metadata"]["namespace"],
        },
        "spec": {
            "scaleTargetRef": spec["scaleTargetRef"],
            "minReplicas": spec["minReplicaCount"],
            "maxReplicas": spec["maxReplicaCount"],
            "metrics": [{"type": "External", "external": metric}],
            **spec["advanced"]["horizontalPodAutoscalerConfig"],
        },
    }
