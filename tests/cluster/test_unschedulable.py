"""What happens on nodes that a stack's pods do not fit: they wait, and say why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cluster.api import Api
from tests.cluster.deployed_stack import (
    DeployedStack,
    NeverReady,
    gpus_asked,
    is_unschedulable,
    stack_on,
    why_pending,
)
from tests.waiting import wait_for


@pytest.fixture
def gpu_stack(api: Api) -> Iterator[DeployedStack]:
    """Production: two GPU nodes with one GPU each, and two picture pods at least."""
    stack = stack_on(api, "prod")
    yield stack
    stack.remove()


def bounded(stack: DeployedStack, name: str = "gpu", **changes: int | str) -> None:
    """Change a pool."""
    stack.pools = tuple(
        replace(pool, **changes) if pool.name == name else pool for pool in stack.pools
    )


@pytest.mark.parametrize(("pool", "workloads"), [("gpu", {"resnet"}), ("cpu", {"faq", "envoy"})])
def test_without_its_pool_a_pod_waits_and_names_the_missing_nodes(
    gpu_stack: DeployedStack, pool: str, workloads: set[str]
) -> None:
    """Although the nodes of the other pools let everybody in and have room, GPUs too: a taint, or
    the GPU that a pod asks for, would do the same by chance in production, and not elsewhere.
    """
    gpu_stack.pools = tuple(
        replace(other, taints=(), gpus_of_a_node=2, least=2)
        for other in gpu_stack.pools
        if other.name != pool
    )
    gpu_stack.apply()
    with pytest.raises(NeverReady, match=r"didn't match Pod's node affinity/selector"):
        gpu_stack.settle()
    found = {name: gpu_stack.pods(name) for name in workloads}
    assert all(found.values())
    for name, pods in found.items():
        reasons = [why_pending(pod) for pod in pods]
        assert all("nodeName" not in pod["spec"] for pod in pods), name
        assert all("node affinity/selector" in reason for reason in reasons), reasons


def test_a_pod_larger_than_the_nodes_waits_and_names_what_is_too_small(
    gpu_stack: DeployedStack,
) -> None:
    """Only the VM size differs: 8 cores of 16 GiB instead of four with a GPU and 28 GiB."""
    bounded(gpu_stack, vm_size="Standard_F8s_v2", most=2)
    resnet = gpu_stack.one("Deployment", "resnet")
    container = resnet["spec"]["template"]["spec"]["containers"][0]
    for amounts in container["resources"].values():
        amounts["memory"] = "20Gi"
    gpu_stack.declared = [o for o in gpu_stack.declared if o["kind"] != "ResourceQuota"]
    gpu_stack.apply()
    with pytest.raises(NeverReady, match=r"resnet-.*Insufficient memory"):
        gpu_stack.settle()


def test_a_question_pod_larger_than_the_nodes_waits_and_names_what_is_too_small(
    gpu_stack: DeployedStack,
) -> None:
    """As much CPU as the machine has, of which Kubernetes keeps a part for itself. The settings
    refuse it, and so it is asked for past them.
    """
    bounded(gpu_stack, "cpu", most=3)
    faq = gpu_stack.one("Deployment", "faq")
    container = faq["spec"]["template"]["spec"]["containers"][0]
    for amounts in container["resources"].values():
        amounts["cpu"] = "8"
    gpu_stack.declared = [o for o in gpu_stack.declared if o["kind"] != "ResourceQuota"]
    gpu_stack.apply()
    with pytest.raises(NeverReady, match=r"faq-.*Insufficient cpu"):
        gpu_stack.settle()
    assert all(pod["status"]["phase"] == "Pending" for pod in gpu_stack.pods("faq"))


def test_without_the_device_plugins_gpus_the_pods_wait_for_them(gpu_stack: DeployedStack) -> None:
    """Nodes whose plugin has not offered the GPUs yet, or whose driver failed."""
    bounded(gpu_stack, gpus_of_a_node=0, most=2)
    gpu_stack.apply()
    with pytest.raises(NeverReady, match=r"resnet-.*Insufficient nvidia.com/gpu"):
        gpu_stack.settle()


def test_one_pod_more_than_gpus_waits_rather_than_share(gpu_stack: DeployedStack) -> None:
    bounded(gpu_stack, most=2)
    gpu_stack.apply()
    gpu_stack.settle()
    gpu_stack.scale(gpu_stack.one("Deployment", "resnet"), 3)

    def waiting() -> list[str]:
        return [why_pending(pod) for pod in gpu_stack.pods("resnet") if is_unschedulable(pod)]

    assert "Insufficient nvidia.com/gpu" in wait_for(waiting, 10, "nothing waits")[0]
    asked = gpus_asked(pod for pod in gpu_stack.pods("resnet") if "nodeName" in pod["spec"])
    assert sorted(asked.values()) == [1, 1]


def test_pods_without_a_gpu_keep_off_the_gpu_nodes(gpu_stack: DeployedStack) -> None:
    """The taint is at work: with no CPU node the question pods wait beside idle GPU nodes."""
    gpu_stack.pools = tuple(pool for pool in gpu_stack.pools if pool.name != "cpu")
    faq = gpu_stack.one("Deployment", "faq")
    del faq["spec"]["template"]["spec"]["nodeSelector"]
    gpu_stack.apply()
    with pytest.raises(NeverReady, match="untolerated taint"):
        gpu_stack.settle()
    nodes = gpu_stack.nodes()
    assert all(
        "nodeName" not in pod["spec"]
        or nodes[pod["spec"]["nodeName"]]["metadata"]["labels"]["kubernetes.azure.com/mode"]
        == "user"
        for pod in gpu_stack.pods("resnet")
    )
    assert not any("nodeName" in pod["spec"] for pod in gpu_stack.pods("faq"))
