"""Every stack with workloads, on a control plane with nodes like those that it declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from infra.planning.manifests import kubernetes_objects
from infra.scheduling import GPU_RESOURCE
from infra.workload import pool_of
from tests.cluster.api import Api, Object, Refused, wait_for
from tests.cluster.deployed_stack import (
    DeployedStack,
    gpus_asked,
    is_of,
    name_of,
    selects,
    stack_on,
)
from tests.cluster.nodes import POOL, ZONE
from tests.infra.plans import NAMES, recording_of

WITHOUT_CLUSTER = ("local", "split-platform")
"""Containers on a Docker engine; a platform whose services are in another stack."""
STACKS = sorted(set(NAMES) - set(WITHOUT_CLUSTER))
WORKLOADS = ("faq", "resnet", "web")
LEFT_TO_NAMESPACES = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))
WITH_ROOM_FOR_ALL = ("dev", "prod")
NOT_OF_STACKS = ("Event", "Lease", "Node", "Namespace", "CSINode")


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest, api: Api) -> Iterator[DeployedStack]:
    found = stack_on(api, request.param)
    try:
        found.apply()
        found.settle()
        yield found
    finally:
        found.remove()


def test_no_stack_is_left_out() -> None:
    """A stack file without workloads must be one of the two that are known."""
    without = {name for name in NAMES if not kubernetes_objects(recording_of(name).resources)}
    assert without == set(WITHOUT_CLUSTER)


def test_every_object_is_admitted_as_declared(stack: DeployedStack) -> None:
    """Nothing that was declared is dropped, or turned into something else, by the API server."""
    for declared in stack.declared:
        live = stack.api.get(stack.api.path_of(declared))
        lost = sorted(missing(declared, live, declared["kind"]))
        assert not lost


def test_pod_security_is_enforced_where_the_services_are(stack: DeployedStack) -> None:
    """The same pod with one liberty more is refused, so that the standard is at work."""
    for deployment in stack.of_kind("Deployment"):
        pod = pod_of(deployment)
        pod["spec"]["hostNetwork"] = True
        with pytest.raises(Refused, match=r'violates PodSecurity "restricted'):
            stack.api.create(pod, dry_run=True)


def test_every_pod_is_ready_on_the_pool_that_it_belongs_to(stack: DeployedStack) -> None:
    nodes = stack.nodes()
    pools = {"cpu": stack.settings.cluster.cpu_pool, "gpu": stack.settings.cluster.gpu_pool}
    for pod in stack.pods():
        name = name_of(pod)
        kind = "gpu" if name == "nvidia-device-plugin" else "cpu"
        if name in WORKLOADS:
            kind = pool_of(stack.settings, name)
        pool = nodes[pod["spec"]["nodeName"]]["metadata"]["labels"][POOL]
        assert pool == pools[kind].name, pod["metadata"]["name"]


def test_no_gpu_has_two_pods(stack: DeployedStack) -> None:
    nodes = stack.nodes()
    for node, asked in gpus_asked(stack.pods()).items():
        assert asked <= int(nodes[node]["status"]["allocatable"].get(GPU_RESOURCE, "0"))
    if "resnet" in stack.bounds() and pool_of(stack.settings, "resnet") == "gpu":
        assert sum(gpus_asked(stack.pods()).values()) == len(stack.pods("resnet"))


def test_pods_are_spread_over_zones_and_nodes(stack: DeployedStack) -> None:
    """As far as the pools' zones go: with two pods or more, no zone has two more than another."""
    if stack.grew:
        pytest.skip("the pods were there before all of their nodes")
    nodes = stack.nodes()
    for deployment in stack.of_kind("Deployment"):
        pods = [pod for pod in stack.pods() if is_of(pod, deployment)]
        pool = next(p for p in stack.pools if p.labels.items() >= selector_of(deployment).items())
        homes = [node for node in nodes.values() if node["metadata"]["labels"][POOL] == pool.name]
        for label in (ZONE, "kubernetes.io/hostname"):
            places = {node["metadata"]["labels"][label] for node in homes}
            counts = Counter(
                nodes[pod["spec"]["nodeName"]]["metadata"]["labels"][label] for pod in pods
            )
            assert max(counts.values()) - min(counts[place] for place in places) <= 1, (
                f"{deployment['metadata']['name']}: {dict(counts)} of {sorted(places)}"
            )


def test_every_pod_is_denied_what_no_policy_allows(stack: DeployedStack) -> None:
    """A policy without any rule selects it, so that it has no rights but those of others."""
    path = "/apis/networking.k8s.io/v1/networkpolicies"
    policies = stack.api.list(path)
    for pod in stack.pods():
        of_pod = [
            each["spec"]
            for each in policies
            if each["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and selects(each["spec"]["podSelector"], pod)
        ]
        closed = [
            each
            for each in of_pod
            if sorted(each["policyTypes"]) == ["Egress", "Ingress"]
            and not each.get("ingress")
            and not each.get("egress")
        ]
        assert closed, pod["metadata"]["name"]
        if name_of(pod) in WORKLOADS:
            assert not any({} in each.get("ingress", []) for each in of_pod)
            assert not any({} in each.get("egress", []) for each in of_pod)


def test_any_node_can_be_drained(stack: DeployedStack) -> None:
    """Every budget lets the node's pods go, one after another, as they find new places."""
    for name in busy_nodes(stack):
        drain(stack, name)
        stack.settle()


def test_at_its_most_pods_no_quota_is_in_the_way(stack: DeployedStack) -> None:
    """Every workload at its most at once. The two stacks that users start from have nodes for all
    of these pods too; elsewhere pods may wait for CPU, on a pool at its bound, as the settings say.
    """
    for deployment in stack.of_kind("Deployment"):
        stack.scale(deployment, stack.bounds()[deployment["metadata"]["name"]][1])
    wait_for(lambda: pods_are_there(stack), 30, lambda: refusals(stack))
    if stack.name in WITH_ROOM_FOR_ALL:
        stack.settle()
    else:
        stack.autoscale()
    nodes = stack.nodes()
    for node, asked in gpus_asked(p for p in stack.pods() if "nodeName" in p["spec"]).items():
        assert asked <= int(nodes[node]["status"]["allocatable"].get(GPU_RESOURCE, "0"))


def test_deleting_the_stack_leaves_nothing_behind(stack: DeployedStack) -> None:
    """Runs last. Only production waits for its namespaces: each takes five seconds to go."""
    whole = stack.name == "prod"
    stack.remove(namespaces=whole)
    wait_for(lambda: not left(stack), 30, lambda: f"left: {sorted(left(stack))}")
    if whole:
        wait_for(lambda: not namespaces(stack), 60, lambda: f"left: {namespaces(stack)}")


def missing(declared: object, live: object, path: str) -> Iterator[str]:
    """Where the server's object lacks, or changes, what was declared."""
    if isinstance(declared, dict) and isinstance(live, dict):
        for key, value in declared.items():
            if key == "stringData":
                continue  # written as `data`, never read
            if key not in live and value:  # what is empty or false may be left out
                yield f"{path}.{key}: gone"
            elif key in live:
                yield from missing(value, live[key], f"{path}.{key}")
    elif isinstance(declared, list) and isinstance(live, list):
        if len(declared) > len(live):
            yield f"{path}: {len(live)} of {len(declared)}"
        for place, (one, other) in enumerate(zip(declared, live, strict=False)):
            yield from missing(one, other, f"{path}[{place}]")
    elif declared != live and not same_amount(declared, live):
        yield f"{path}: {declared!r} became {live!r}"


def same_amount(declared: object, live: object) -> bool:
    """The server writes amounts its own way: 1000m as 1, 8192Mi as 8Gi."""
    return str(amount(str(declared))) == str(amount(str(live)))


def amount(text: str) -> float | str:
    units = {"m": 1e-3, "k": 1e3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "": 1}
    number = text.rstrip("kmKMGTi")
    try:
        return float(number) * units[text[len(number) :]]
    except (ValueError, KeyError):
        return text


def pod_of(deployment: Object) -> Object:
    template = deployment["spec"]["template"]
    metadata = {"name": "liberty", "namespace": deployment["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": template["metadata"]["labels"]},
        "spec": dict(template["spec"]),
    }


def selector_of(deployment: Object) -> dict[str, str]:
    return deployment["spec"]["template"]["spec"]["nodeSelector"]


def busy_nodes(stack: DeployedStack) -> list[str]:
    return sorted({pod["spec"]["nodeName"] for pod in stack.pods() if is_movable(pod)})


def is_movable(pod: Object) -> bool:
    return all(owner["kind"] != "DaemonSet" for owner in pod["metadata"].get("ownerReferences", []))


def drain(stack: DeployedStack, node: str) -> None:
    """As `kubectl drain --ignore-daemonsets`, and the node back after it."""
    path = f"/api/v1/nodes/{node}"
    stack.api.merge(path, {"spec": {"unschedulable": True}})
    try:
        wait_for(lambda: evicted(stack, node), 30, f"{node} cannot be drained")
    finally:
        stack.api.merge(path, {"spec": {"unschedulable": None}})


def evicted(stack: DeployedStack, node: str) -> bool:
    """Ask for every pod of a node once; True when none is left."""
    here = [p for p in stack.pods() if p["spec"].get("nodeName") == node and is_movable(p)]
    for pod in here:
        stack.api.evict(pod["metadata"]["namespace"], pod["metadata"]["name"])
    stack.autoscale()
    return not here


def pods_are_there(stack: DeployedStack) -> bool:
    pods = stack.pods()
    return all(
        sum(is_of(pod, each) for pod in pods) == stack.bounds()[each["metadata"]["name"]][1]
        for each in stack.of_kind("Deployment")
    )


def refusals(stack: DeployedStack) -> str:
    """What the controllers were refused, such as by a quota."""
    events = stack.api.list("/api/v1/events")
    found = {e["message"] for e in events if e["reason"] == "FailedCreate"}
    return "; ".join(sorted(found)) or f"{len(stack.pods())} pods"


def left(stack: DeployedStack) -> set[tuple[str, str, str]]:
    """What is in the stack's namespaces, or has its name in the cluster."""
    found: set[tuple[str, str, str]] = set()
    for kind, path in listable(stack.api):
        for each in stack.api.list(path):
            metadata = each["metadata"]
            place, name = metadata.get("namespace", ""), metadata["name"]
            ours = metadata.get("labels", {}).get("app.kubernetes.io/managed-by") == "pulumi"
            if (place in stack.namespaces or ours) and (kind, name) not in LEFT_TO_NAMESPACES:
                found.add((kind, place, name))
    return found


def namespaces(stack: DeployedStack) -> set[str]:
    there = {each["metadata"]["name"] for each in stack.api.list("/api/v1/namespaces")}
    return there & set(stack.namespaces)


def listable(api: Api) -> Iterator[tuple[str, str]]:
    """Every kind of object that can be listed, and where."""
    versions = ["/api/v1"]
    versions += [
        f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"]
    ]
    for root in versions:
        for found in api.get(root)["resources"]:
            if "list" in found["verbs"] and found["kind"] not in NOT_OF_STACKS:
                yield found["kind"], f"{root}/{found['name']}"
