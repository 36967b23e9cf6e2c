"""The device plugin: on GPU nodes only, with as little as it needs."""

from __future__ import annotations

import json
from typing import Any

from infra.scheduling import GPU_TAINT, POOL_LABEL
from tests.infra.kubernetes.platform_objects import (
    FULL,
    GPU_POOL,
    declared,
    manifest,
    objects,
    spec_of,
)

A100: dict[str, Any] = {**GPU_POOL, "vm_size": "Standard_NC24ads_A100_v4", "os_disk_gb": 64}


def _full(pool: dict[str, Any]) -> dict[str, Any]:
    return {**FULL, "cluster": {"gpu_pool": pool}}


def _pod(pool: dict[str, Any]) -> dict[str, Any]:
    return spec_of(declared(_full(pool)), "DaemonSet", "nvidia-device-plugin")["template"]


def _environment(pool: dict[str, Any]) -> dict[str, str]:
    (container,) = _pod(pool)["spec"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


def test_without_a_gpu_service_there_is_no_plugin() -> None:
    assert "DaemonSet" not in {found["kind"] for found in objects(declared())}


def test_it_runs_on_gpu_nodes_in_spite_of_their_taint() -> None:
    pod = _pod(GPU_POOL)["spec"]
    assert pod["nodeSelector"] == {POOL_LABEL: "gpu"}
    taints = {f"{t['key']}={t['value']}:{t['effect']}" for t in pod["tolerations"]}
    assert GPU_TAINT in taints


def test_its_selector_finds_its_pods() -> None:
    plugin = spec_of(declared(FULL), "DaemonSet", "nvidia-device-plugin")
    labels = plugin["template"]["metadata"]["labels"]
    assert plugin["selector"]["matchLabels"].items() <= labels.items()


def test_it_is_never_evicted_and_reaches_no_api() -> None:
    pod = _pod(GPU_POOL)["spec"]
    assert pod["priorityClassName"] == "system-node-critical"
    assert pod["automountServiceAccountToken"] is False


def test_it_has_no_privilege_beyond_the_kubelets_sockets() -> None:
    pod = _pod(GPU_POOL)["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (volume,) = pod["volumes"]
    assert volume["hostPath"]["path"] == "/var/lib/kubelet/device-plugins"
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}


def test_whole_gpus_need_no_strategy() -> None:
    assert _environment(GPU_POOL)["MIG_STRATEGY"] == "none"
    assert "CONFIG_FILE" not in _environment(GPU_POOL)


def test_instances_of_a_gpu_count_as_gpus() -> None:
    pool = {**A100, "mig_profile": "MIG1g"}
    assert _environment(pool)["MIG_STRATEGY"] == "single"
    (container,) = _pod(pool)["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_ADMIN"]}


def test_turns_on_a_gpu_are_a_configuration_that_restarts_the_plugin() -> None:
    pools = [{**GPU_POOL, "time_slices": slices} for slices in (2, 3)]
    digests: set[str] = set()
    for pool, slices in zip(pools, (2, 3), strict=True):
        recording = declared(_full(pool))
        config = manifest(recording, "ConfigMap", "nvidia-device-plugin")
        sharing = json.loads(config["data"]["config.yaml"])["sharing"]["timeSlicing"]
        assert sharing["resources"] == [{"name": "nvidia.com/gpu", "replicas": slices}]
        assert sharing["failRequestsGreaterThanOne"] is True
        assert _environment(pool)["CONFIG_FILE"] == "/config/config.yaml"
        (container,) = _pod(pool)["spec"]["containers"]
        assert "/config" in {mount["mountPath"] for mount in container["volumeMounts"]}
        digests.update(_pod(pool)["metadata"]["annotations"].values())
    assert len(digests) == 2
