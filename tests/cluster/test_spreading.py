"""Pods are spread by what they declare, and not by the scheduler's own habits.

Kubernetes spreads the pods of a Deployment by itself, more weakly; on nodes that are equally busy
nobody sees the difference. Here one node is idle and the others are busy, as after an upgrade: of
its own the scheduler puts the pods together where most is free, and one zone that fails takes all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cluster.api import Api, Object
from tests.cluster.deployed_stack import DeployedStack, is_of, is_ready, stack_on
from tests.cluster.nodes import POOL, ZONE
from tests.waiting import wait_for

HOST = "kubernetes.io/hostname"
ZONES = 3
BUSY = 0.8
"""Of the busy nodes' CPU and memory, what others ask for."""
WORKLOADS = ("faq", "envoy-scoring")


@pytest.fixture(scope="module")
def stack(api: Api) -> Iterator[DeployedStack]:
    """Production with a node in each zone, of which the first is idle."""
    stack = stack_on(api, "prod")
    stack.pools = tuple(
        replace(pool, least=ZONES, most=ZONES) if pool.name == "cpu" else pool
        for pool in stack.pools
    )
    busy: list[Object] = []
    try:
        stack.apply()
        stack.settle()
        for workload in WORKLOADS:
            stop(stack, deployment_of(stack, workload))
        busy = [neighbour(node) for node in homes(stack)[1:]]
        for each in busy:
            api.create(each)
        yield stack
    finally:
        for each in busy:
            api.delete(api.path_of(each), at_once=True)
        stack.remove()


def homes(stack: DeployedStack) -> list[Object]:
    """The nodes of the CPU pool, one in each zone."""
    found = [n for n in stack.nodes().values() if n["metadata"]["labels"][POOL] == "cpu"]
    assert len({node["metadata"]["labels"][ZONE] for node in found}) == len(found) == ZONES
    return sorted(found, key=lambda node: node["metadata"]["name"])


def neighbour(node: Object) -> Object:
    """A pod of somebody else that asks for most of a node."""
    room = node["status"]["allocatable"]
    asked = {
        "cpu": f"{int(int(room['cpu'].removesuffix('m')) * BUSY)}m",
        "memory": f"{int(int(room['memory'].removesuffix('Mi')) * BUSY)}Mi",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"busy-{node['metadata']['name']}", "namespace": "default"},
        "spec": {
            "nodeName": node["metadata"]["name"],
            "containers": [{"name": "busy", "image": "busy", "resources": {"requests": asked}}],
        },
    }


def deployment_of(stack: DeployedStack, workload: str) -> Object:
    (found,) = (d for d in stack.of_kind("Deployment") if d["metadata"]["name"] == workload)
    return found


def pods_of(stack: DeployedStack, deployment: Object) -> list[Object]:
    return [pod for pod in stack.pods() if is_of(pod, deployment)]


def stop(stack: DeployedStack, deployment: Object) -> None:
    stack.scale(deployment, 0)
    wait_for(lambda: not pods_of(stack, deployment), 20, "its pods stay")


def places_of_a_new_start(stack: DeployedStack, deployment: Object, label: str) -> Counter[str]:
    """Where three pods are that find none of their kind; how many at each place."""
    stop(stack, deployment)
    stack.api.apply(deployment)
    stack.scale(deployment, ZONES)
    wait_for(
        lambda: sum(map(is_ready, pods_of(stack, deployment))) == ZONES,
        30,
        lambda: "; ".join(stack.unready()),
    )
    nodes = stack.nodes()
    return Counter(
        nodes[pod["spec"]["nodeName"]]["metadata"]["labels"][label]
        for pod in pods_of(stack, deployment)
    )


@pytest.mark.parametrize("workload", WORKLOADS)
def test_pods_are_apart_although_one_node_is_idle(stack: DeployedStack, workload: str) -> None:
    deployment = deployment_of(stack, workload)
    for label in (ZONE, HOST):
        places = places_of_a_new_start(stack, deployment, label)
        assert sorted(places.values()) == [1] * ZONES, f"{label}: {dict(places)}"
    stop(stack, deployment)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_without_what_they_declare_they_would_be_together(
    stack: DeployedStack, workload: str
) -> None:
    """The check itself: the scheduler's own spreading does not do it."""
    deployment = deployment_of(stack, workload)
    spec = deployment["spec"]["template"]["spec"]
    declared = spec.pop("topologySpreadConstraints")
    try:
        places = places_of_a_new_start(stack, deployment, ZONE)
    finally:
        spec["topologySpreadConstraints"] = declared
        stop(stack, deployment)
    assert max(places.values()) >= 2, dict(places)
