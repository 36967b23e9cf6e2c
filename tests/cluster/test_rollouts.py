"""New versions and drained nodes, while the services go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.cluster.api import Api, Object
from tests.cluster.availability import watched
from tests.cluster.deployed_stack import DeployedStack, is_ready, stack_on
from tests.waiting import wait_for

ROLLOUT_SECONDS = 90
WORKLOADS = ("faq", "resnet")
GPU_NODES = {
    # Of production, as much as one such node carries: every GPU has its pod.
    "one GPU node": ("Standard_NC4as_T4_v3", 1, 1),
    # A second node may come, as an upgrade adds it before it drains: with several pods on the only
    # node, the first that goes must find a place, or the budget keeps the others, and the node.
    "one node of four GPUs": ("Standard_NC64as_T4_v3", 4, 2),
}
"""By name: VM size, its GPUs, and the most nodes."""


@pytest.fixture(scope="module", params=["prod", *GPU_NODES])
def stack(request: pytest.FixtureRequest, api: Api) -> Iterator[DeployedStack]:
    stack = stack_on(api, "prod")
    if request.param in GPU_NODES:
        vm_size, gpus, most = GPU_NODES[request.param]
        stack.one("ScaledObject", "resnet")["spec"].update(
            minReplicaCount=gpus, maxReplicaCount=gpus
        )
        stack.pools = tuple(
            replace(pool, least=1, most=most, vm_size=vm_size, gpus_of_a_node=gpus)
            if pool.name == "gpu"
            else pool
            for pool in stack.pools
        )
    try:
        stack.apply()
        stack.settle()
        yield stack
    finally:
        stack.remove()


def roll_out(stack: DeployedStack, deployment: Object, version: int) -> None:
    """Give the workload another image, and wait until all of its pods have it."""
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"registry.example.org/image@sha256:{str(version) * 64}"
    stack.api.apply(deployment)
    wait_for(
        lambda: rolled_out(stack, deployment),
        ROLLOUT_SECONDS,
        lambda: f"the rollout stands still: {stack.unready()}",
    )


def rolled_out(stack: DeployedStack, deployment: Object) -> bool:
    live = stack.api.get(stack.api.path_of(deployment))
    status, wanted = live["status"], live["spec"]["replicas"]
    return (
        status.get("observedGeneration") == live["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("replicas") == wanted
        and status.get("availableReplicas") == wanted
    )


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_new_version_keeps_what_the_budget_promises(stack: DeployedStack, workload: str) -> None:
    """On GPUs an old pod goes first: with the pool full there is no place for one more."""
    deployment = stack.one("Deployment", workload)
    with watched(stack) as availability:
        roll_out(stack, deployment, 1)
    assert not availability.broken_promises()
    if workload == "faq":
        # A new pod comes before an old one goes.
        assert availability.fewest["faq"] >= stack.bounds()["faq"][0]
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    images = {pod["spec"]["containers"][0]["image"] for pod in stack.pods(workload)}
    assert images == {image}


def test_a_careless_strategy_would_be_seen(stack: DeployedStack) -> None:
    """The check itself: all old pods at once break what the budget promises."""
    if stack.bounds()["resnet"][0] < 2:
        pytest.skip("of one pod nothing is promised")
    deployment = stack.one("Deployment", "resnet")
    careful = deployment["spec"]["strategy"]
    deployment["spec"]["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"},
    }
    with watched(stack) as availability:
        roll_out(stack, deployment, 2)
    assert availability.broken_promises().keys() == {"resnet"}
    deployment["spec"]["strategy"] = careful
    stack.api.apply(deployment)


def test_every_node_is_drained_in_turn_and_the_services_stay_up(stack: DeployedStack) -> None:
    """As an upgrade does it: each node is empty in time, and the budgets hold throughout."""
    with watched(stack) as availability:
        for node in sorted(stack.nodes()):
            stack.drain(node)
            stack.settle()
    assert not availability.broken_promises()


def test_a_second_eviction_is_refused_until_the_first_pod_is_replaced(
    stack: DeployedStack,
) -> None:
    """With every node closed no pod finds a new place, and the budget keeps the others."""
    if stack.bounds()["resnet"][0] < 2:
        pytest.skip("one pod has no second")
    with all_nodes_closed(stack):
        for workload in WORKLOADS:
            first, *others = (pod["metadata"]["name"] for pod in stack.pods(workload))
            # The budget may not know yet that every pod is ready again.
            wait_for(lambda name=workload: left_of_budget(stack, name) > 0, 10)
            assert stack.api.evict("scoring", first)
            wait_for(lambda gone=first: gone not in ready_names(stack), 10)
            wait_for(lambda name=workload: left_of_budget(stack, name) == 0, 10)
            assert not any(stack.api.evict("scoring", other) for other in others)
    stack.settle()


def test_without_their_budgets_all_pods_would_go(stack: DeployedStack) -> None:
    """The check itself: it is the budgets that kept them."""
    budgets = [stack.one("PodDisruptionBudget", workload) for workload in WORKLOADS]
    for budget in budgets:
        stack.api.delete(stack.api.path_of(budget))
    with all_nodes_closed(stack):
        for workload in WORKLOADS:
            pods = [pod["metadata"]["name"] for pod in stack.pods(workload)]
            assert [stack.api.evict("scoring", pod) for pod in pods] == [True] * len(pods)
    for budget in budgets:
        stack.api.apply(budget)
    stack.settle()


@contextmanager
def all_nodes_closed(stack: DeployedStack) -> Iterator[None]:
    nodes = sorted(stack.nodes())
    for node in nodes:
        stack.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        for node in nodes:
            stack.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}})


def ready_names(stack: DeployedStack) -> set[str]:
    return {pod["metadata"]["name"] for pod in stack.pods() if is_ready(pod)}


def left_of_budget(stack: DeployedStack, workload: str) -> int:
    """Pods that may go now."""
    budget = stack.one("PodDisruptionBudget", workload)
    return stack.api.get(stack.api.path_of(budget))["status"]["disruptionsAllowed"]
