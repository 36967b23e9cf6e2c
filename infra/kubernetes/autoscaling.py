"""How many pods: by CPU (HPA) or by the queue before the model (KEDA), never by both."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import autoscaling

from infra.kubernetes.custom_objects import SCALED_OBJECT, TRIGGER_AUTHENTICATION
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import NAME_LABEL
from infra.sections.workloads import ScalingSettings
from infra.workload import WorkloadName

POLL_SECONDS = 15
WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Target:
    """The Deployment to scale.

    Attributes:
        workload: which one.
        namespace: where it is.
        deployment: its name.
    """

    workload: WorkloadName
    namespace: pulumi.Input[str]
    deployment: pulumi.Input[str]


@dataclass(frozen=True)
class QueueMetrics:
    """Where KEDA reads the queue's depth, and as whom.

    Attributes:
        query_endpoint: of managed Prometheus.
        client_id: of the identity that may query it.
    """

    query_endpoint: pulumi.Input[str]
    client_id: pulumi.Input[str]


def scale_on_cpu(
    name: str, target: Target, scaling: ScalingSettings, opts: pulumi.ResourceOptions
) -> None:
    """Add and remove pods by their use of the CPU that they ask for."""
    autoscaling.v2.HorizontalPodAutoscaler(
        name,
        metadata=object_meta(target.workload, target.namespace),
        spec=autoscaling.v2.HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=autoscaling.v2.CrossVersionObjectReferenceArgs(
                api_version="apps/v1", kind="Deployment", name=target.deployment
            ),
            min_replicas=scaling.min_replicas,
            max_replicas=scaling.max_replicas,
            metrics=[
                autoscaling.v2.MetricSpecArgs(
                    type="Resource",
                    resource=autoscaling.v2.ResourceMetricSourceArgs(
                        name="cpu",
                        target=autoscaling.v2.MetricTargetArgs(
                            type="Utilization", average_utilization=scaling.target_cpu_percent
                        ),
                    ),
                )
            ],
            behavior=autoscaling.v2.HorizontalPodAutoscalerBehaviorArgs(
                scale_up=_rules(
                    0,
                    autoscaling.v2.HPAScalingPolicyArgs(
                        type="Pods", value=2, period_seconds=WINDOW_SECONDS
                    ),
                ),
                scale_down=_rules(scaling.scale_down_minutes * 60),
            ),
        ),
        opts=opts,
    )


def _rules(
    stabilisation: int, *further: autoscaling.v2.HPAScalingPolicyArgs
) -> autoscaling.v2.HPAScalingRulesArgs:
    """Double or halve in a minute; policies beside it let few pods become more."""
    return autoscaling.v2.HPAScalingRulesArgs(
        stabilization_window_seconds=stabilisation,
        select_policy="Max",
        policies=[
            autoscaling.v2.HPAScalingPolicyArgs(
                type="Percent", value=100 if further else 50, period_seconds=WINDOW_SECONDS
            ),
            *further,
        ],
    )


def scale_on_queue(
    name: str,
    target: Target,
    scaling: ScalingSettings,
    metrics: QueueMetrics,
    opts: pulumi.ResourceOptions,
) -> None:
    """Add and remove pods by the requests that wait for the model.

    On a GPU the CPU's use says little: the pod waits while the device works. KEDA makes the HPA
    by itself; a second one would fight it over the same Deployment.
    """
    credentials = f"{target.workload}-metrics"
    authentication = TRIGGER_AUTHENTICATION.declare(
        f"{name}-authentication",
        object_meta(credentials, target.namespace),
        spec={"podIdentity": {"provider": "azure-workload", "identityId": metrics.client_id}},
        opts=opts,
    )
    SCALED_OBJECT.declare(
        name,
        object_meta(target.workload, target.namespace),
        spec={
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": target.deployment,
            },
            "pollingInterval": POLL_SECONDS,
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            # Without metrics nobody knows the load: keep what there is, which was enough.
            "fallback": {
                "failureThreshold": 4,
                "replicas": scaling.min_replicas,
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _queue_behaviour(scaling)}},
            "triggers": [
                {
                    "type": "prometheus",
                    "metricType": "AverageValue",
                    "metadata": {
                        "serverAddress": metrics.query_endpoint,
                        "query": queue_query(target),
                        "threshold": str(scaling.target_queue_depth),
                        # No series is no answer, not an empty queue.
                        "ignoreNullValues": "false",
                    },
                    "authenticationRef": {"name": credentials},
                }
            ],
        },
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[authentication])
        ),
    )


def queue_query(target: Target) -> pulumi.Output[str]:
    """The requests waiting in all pods of the workload.

    Labels as managed Prometheus makes them of scraped pods (podannotationsDefault.yml of
    Azure/prometheus-collector): the pod's own, and ``kubernetes_namespace``.
    """
    label = NAME_LABEL.replace(".", "_").replace("/", "_")
    return pulumi.Output.concat(
        f'sum(modelsvc_queue_depth{{{label}="{target.workload}",kubernetes_namespace="',
        target.namespace,
        '"})',
    )


def _queue_behaviour(scaling: ScalingSettings) -> dict[str, object]:
    """As for the CPU, in the words of a custom resource."""
    double = {"type": "Percent", "value": 100, "periodSeconds": WINDOW_SECONDS}
    two = {"type": "Pods", "value": 2, "periodSeconds": WINDOW_SECONDS}
    halve = {"type": "Percent", "value": 50, "periodSeconds": WINDOW_SECONDS}
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [double, two],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": scaling.scale_down_minutes * 60,
            "selectPolicy": "Max",
            "policies": [halve],
        },
    }
