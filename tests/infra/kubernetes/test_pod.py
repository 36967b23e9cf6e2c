"""Pods are hardened, find their nodes and end in their own time."""

from __future__ import annotations

from typing import Any

import pytest

from infra.kubernetes.pod import grace_seconds
from tests.infra.kubernetes.platform_objects import settings_with, spec_of
from tests.infra.kubernetes.workload_objects import GPU, WEB, declared_workloads

ALL = {"web": WEB}
NAMES = ("faq", "resnet", "web")


def pod(name: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    return spec_of(declared_workloads(values or ALL), "Deployment", name)["template"]["spec"]


def container(name: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    (only,) = pod(name, values)["containers"]
    return only


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_meets_the_restricted_standard(name: str) -> None:
    of_pod = pod(name)["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] == of_pod["runAsGroup"] == of_pod["fsGroup"] == 10001
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    of_container = container(name)["securityContext"]
    assert of_container["allowPrivilegeEscalation"] is False
    assert of_container["readOnlyRootFilesystem"] is True
    assert of_container["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_gets_no_token_and_no_variables_of_other_services(name: str) -> None:
    assert pod(name)["automountServiceAccountToken"] is False
    assert pod(name)["enableServiceLinks"] is False
    assert pod(name)["serviceAccountName"] == name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_promised_is_reserved(name: str) -> None:
    resources = container(name)["resources"]
    assert resources["requests"] == resources["limits"]
    assert set(resources["limits"]) == {"cpu", "memory", "ephemeral-storage"}


def test_amounts_are_the_settings() -> None:
    values = {"faq": {"cpu_millicores": 750, "memory_mib": 640}}
    limits = container("faq", values)["resources"]["limits"]
    assert (limits["cpu"], limits["memory"]) == ("750m", "640Mi")


def test_a_gpu_pod_has_one_gpu_and_the_way_to_it() -> None:
    assert container("resnet", GPU)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert pod("resnet", GPU)["nodeSelector"] == {"realtime-scoring.io/pool": "gpu"}
    assert pod("resnet", GPU)["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"},
        {
            "key": "kubernetes.azure.com/scalesetpriority",
            "operator": "Equal",
            "value": "spot",
            "effect": "NoSchedule",
        },
    ]


def test_other_pods_stay_off_the_gpu_nodes() -> None:
    assert pod("faq", GPU)["nodeSelector"] == {"realtime-scoring.io/pool": "cpu"}
    assert not pod("faq", GPU).get("tolerations")


@pytest.mark.parametrize("name", NAMES)
def test_probes_ask_the_port_that_serves_them(name: str) -> None:
    probes = container(name)
    assert {port["name"]: port["containerPort"] for port in probes["ports"]} == {
        "http": 8080,
        "metrics": 9090,
    }
    paths = {
        kind: (probes[kind]["httpGet"]["path"], probes[kind]["httpGet"]["port"])
        for kind in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {
        "startupProbe": ("/readyz", "http"),
        "readinessProbe": ("/readyz", "http"),
        "livenessProbe": ("/livez", "http"),
    }


def test_a_big_model_gets_the_time_to_load() -> None:
    startup = container("resnet")["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300


def test_nobody_kills_a_pod_before_it_has_drained_and_stopped() -> None:
    values = {"faq": {"drain_seconds": 20, "stop_seconds": 45}}
    assert grace_seconds(settings_with(values), "faq") > 65
    assert pod("faq", values)["terminationGracePeriodSeconds"] > 65


@pytest.mark.parametrize("name", NAMES)
def test_pods_spread_over_zones_and_nodes(name: str) -> None:
    spread = pod(name)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    labels = spec_of(declared_workloads(ALL), "Deployment", name)["template"]["metadata"]["labels"]
    for each in spread:
        assert each["labelSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("name", NAMES)
def test_the_key_file_is_mounted_as_a_folder(name: str) -> None:
    mounts = {mount["name"]: mount for mount in container(name)["volumeMounts"]}
    assert mounts["keys"] == {"name": "keys", "mountPath": "/keys", "readOnly": True}
    assert mounts["tmp"]["mountPath"] == "/tmp"
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    assert volumes["tmp"]["emptyDir"]["sizeLimit"] == "64Mi"


@pytest.mark.parametrize("name", NAMES)
def test_metrics_are_scraped_by_annotation(name: str) -> None:
    template = spec_of(declared_workloads(ALL), "Deployment", name)["template"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9090",
        "prometheus.io/path": "/metrics",
    }


def test_the_services_come_before_the_page() -> None:
    classes = {name: pod(name).get("priorityClassName") for name in NAMES}
    assert classes == {"faq": "realtime-scoring", "resnet": "realtime-scoring", "web": None}
