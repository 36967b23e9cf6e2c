"""Pods come by the CPU or by the queue, never by both."""

from __future__ import annotations

import jsonschema
import pytest

from tests.infra.kubernetes.platform_objects import definitions, manifest, spec_of
from tests.infra.kubernetes.workload_objects import GPU, declared_workloads

SCALING = {
    "faq": {
        "scaling": {
            "min_replicas": 2,
            "max_replicas": 6,
            "target_cpu_percent": 55,
            "scale_down_minutes": 60,
        }
    }
}


def test_bounds_and_target_are_the_settings() -> None:
    scaler = spec_of(declared_workloads(SCALING), "HorizontalPodAutoscaler", "faq")
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "faq",
    }
    (metric,) = scaler["metrics"]
    assert metric["resource"] == {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 55},
    }


def test_pods_come_at_once_and_go_late() -> None:
    behaviour = spec_of(declared_workloads(SCALING), "HorizontalPodAutoscaler", "faq")["behavior"]
    assert behaviour["scaleUp"]["stabilizationWindowSeconds"] == 0
    # An hour is the most that Kubernetes takes.
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] == 3600
    assert {"type": "Pods", "value": 2, "periodSeconds": 60} in behaviour["scaleUp"]["policies"]
    assert behaviour["scaleDown"]["policies"] == [
        {"type": "Percent", "value": 50, "periodSeconds": 60}
    ]


def test_a_workload_has_one_autoscaler() -> None:
    recording = declared_workloads(GPU)
    scalers = {
        kind: [str(found.inputs["metadata"]["name"]) for found in recording.of_type(f":{kind}")]  # type: ignore[index]
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
    }
    assert scalers == {"HorizontalPodAutoscaler": ["faq"], "ScaledObject": ["resnet"]}


def test_the_queue_is_asked_for_where_its_metrics_are() -> None:
    (trigger,) = spec_of(declared_workloads(GPU), "ScaledObject", "resnet")["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["serverAddress"] == "prometheus_query_endpoint"
    assert trigger["metadata"]["threshold"] == "6"
    assert trigger["metadata"]["query"] == (
        'sum(modelsvc_queue_depth{app_kubernetes_io_name="resnet",kubernetes_namespace="scoring"})'
    )


def test_keda_signs_in_without_a_secret() -> None:
    recording = declared_workloads(GPU)
    (trigger,) = spec_of(recording, "ScaledObject", "resnet")["triggers"]
    credentials = manifest(recording, "TriggerAuthentication", trigger["authenticationRef"]["name"])
    identity = credentials["spec"]["podIdentity"]
    assert identity["provider"] == "azure-workload"
    assert "identities-keda-operator.clientId" in identity["identityId"]


def test_without_metrics_what_there_is_stays() -> None:
    fallback = spec_of(declared_workloads(GPU), "ScaledObject", "resnet")["fallback"]
    assert fallback["behavior"] == "currentReplicasIfHigher"
    assert fallback["replicas"] == 1


@pytest.mark.parametrize("kind", ["ScaledObject", "TriggerAuthentication"])
def test_kedas_objects_match_their_definitions(kind: str) -> None:
    schema = definitions()["keda.sh/v1alpha1", kind]["properties"]["spec"]
    for found in declared_workloads(GPU).of_type(f":{kind}"):
        jsonschema.validate(found.inputs["spec"], schema)
