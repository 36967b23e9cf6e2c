"""New versions and drained nodes, while the services go on.

The tests replay every change that the API server made to the pods, so that no moment is missed.
A pod that ends counts as gone from the moment it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.cluster.api import Api, Object, wait_for
from tests.cluster.deployed_stack import (
    DeployedStack,
    is_ending,
    is_ready,
    name_of,
    stack_on,
)

PODS = "/api/v1/namespaces/scoring/pods"
ROLLOUT_SECONDS = 90


@pytest.fixture(scope="module", params=["prod", "one GPU node"])
def stack(request: pytest.FixtureRequest, api: Api) -> Iterator[DeployedStack]:
    """Production; and as much of it as one GPU node can carry, which must not grow."""
    stack = stack_on(api, "prod")
    if request.param == "one GPU node":
        scaled = stack.one("ScaledObject", "resnet")
        scaled["spec"]["minReplicaCount"] = 1
        stack.pools = tuple(
            replace(pool, least=1, most=1) if pool.name == "gpu" else pool for pool in stack.pools
        )
    try:
        stack.apply()
        stack.settle()
        yield stack
    finally:
        stack.remove()


def fewest_ready(api: Api, workload: str, since: str) -> int:
    """The fewest ready pods of a workload at any moment since a version of the list of pods."""
    # What was there then is told by what changed it; pods that nothing changed are there still.
    now = {p["metadata"]["name"]: p for p in api.list(PODS) if name_of(p) == workload}
    changes = [(type_, pod) for type_, pod in api.changes(PODS, since) if name_of(pod) == workload]
    added = {pod["metadata"]["name"] for type_, pod in changes if type_ == "ADDED"}
    changed = {pod["metadata"]["name"] for _, pod in changes}
    # Every test begins with all pods ready.
    ready = (changed | set(now)) - added
    fewest = len(ready)
    for type_, pod in changes:
        name = pod["metadata"]["name"]
        if type_ == "DELETED" or is_ending(pod) or not is_ready(pod):
            ready.discard(name)
        else:
            ready.add(name)
        fewest = min(fewest, len(ready))
    return fewest


def promised(stack: DeployedStack, workload: str) -> int:
    """How many pods its budget keeps, of those that its autoscaler wants at least."""
    budget = stack.one("PodDisruptionBudget", workload)["spec"]
    return stack.bounds()[workload][0] - budget["maxUnavailable"]


def rolled_out(stack: DeployedStack, deployment: Object) -> bool:
    live = stack.api.get(stack.api.path_of(deployment))
    status, wanted = live["status"], live["spec"]["replicas"]
    return (
        status.get("observedGeneration") == live["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("replicas") == wanted
        and status.get("availableReplicas") == wanted
    )


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_a_new_version_keeps_what_the_budget_promises(stack: DeployedStack, workload: str) -> None:
    """On GPUs an old pod goes first: with the pool full there is no place for one more."""
    deployment = stack.one("Deployment", workload)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    since = stack.api.version(PODS)
    container["image"] = f"registry.example.org/{workload}@sha256:{'1' * 64}"
    stack.api.apply(deployment)
    wait_for(
        lambda: rolled_out(stack, deployment),
        ROLLOUT_SECONDS,
        lambda: f"the rollout stands still: {stack.unready()}",
    )
    fewest = fewest_ready(stack.api, workload, since)
    assert fewest >= promised(stack, workload)
    if workload == "faq":
        assert fewest >= stack.bounds()["faq"][0]  # a new pod comes before an old one goes
    images = {p["spec"]["containers"][0]["image"] for p in stack.pods(workload)}
    assert images == {container["image"]}


def test_every_node_is_drained_in_turn_and_the_services_stay_up(stack: DeployedStack) -> None:
    """As an upgrade does it: each node is empty in time, and the budgets hold throughout."""
    since = stack.api.version(PODS)
    for node in sorted(stack.nodes()):
        empty(stack, node)
        stack.settle()
    for workload in ("faq", "resnet"):
        assert fewest_ready(stack.api, workload, since) >= promised(stack, workload)


def test_a_second_eviction_is_refused_until_the_first_pod_is_replaced(
    stack: DeployedStack,
) -> None:
    """With every node closed no pod finds a new place, and the budget keeps the others."""
    if stack.bounds()["resnet"][0] < 2:
        pytest.skip("one pod has no second")
    nodes = sorted(stack.nodes())
    for node in nodes:
        stack.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    try:
        for workload in ("faq", "resnet"):
            first, *others = (pod["metadata"]["name"] for pod in stack.pods(workload))
            assert stack.api.evict("scoring", first)
            wait_for(lambda gone=first: gone not in ready_names(stack), 10)
            wait_for(lambda name=workload: budget_is_used_up(stack, name), 10)
            assert not any(stack.api.evict("scoring", other) for other in others)
    finally:
        for node in nodes:
            stack.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}})
    stack.settle()


def empty(stack: DeployedStack, node: str) -> None:
    """Drain a node, and give it back."""
    path = f"/api/v1/nodes/{node}"
    stack.api.merge(path, {"spec": {"unschedulable": True}})
    try:
        wait_for(lambda: nothing_on(stack, node), 30, f"{node} cannot be drained")
    finally:
        stack.api.merge(path, {"spec": {"unschedulable": None}})


def nothing_on(stack: DeployedStack, node: str) -> bool:
    here = [
        pod
        for pod in stack.pods()
        if pod["spec"].get("nodeName") == node
        and pod["metadata"]["ownerReferences"][0]["kind"] != "DaemonSet"
    ]
    for pod in here:
        stack.api.evict(pod["metadata"]["namespace"], pod["metadata"]["name"])
    return not here


def ready_names(stack: DeployedStack) -> set[str]:
    return {pod["metadata"]["name"] for pod in stack.pods() if is_ready(pod)}


def budget_is_used_up(stack: DeployedStack, workload: str) -> bool:
    budget = stack.one("PodDisruptionBudget", workload)
    return stack.api.get(stack.api.path_of(budget))["status"]["disruptionsAllowed"] == 0
