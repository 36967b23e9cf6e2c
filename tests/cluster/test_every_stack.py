"""Every stack with workloads, on a control plane with nodes like those that it declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from infra.kubernetes.places import GPU_NAMESPACE
from infra.planning.manifests import kubernetes_objects
from infra.scheduling import GPU_RESOURCE
from infra.workload import pool_of
from tests.cluster.api import Api, Object
from tests.cluster.availability import watched
from tests.cluster.deployed_stack import (
    PLATFORMS,
    DeployedStack,
    gpus_asked,
    is_movable,
    is_of,
    name_of,
    selects,
    stack_on,
)
from tests.cluster.nodes import POOL, ZONE
from tests.infra.plans import NAMES, recording_of, settings_of
from tests.waiting import wait_for

WITHOUT_CLUSTER = ("local", "split-platform")
"""Containers on a Docker engine; a platform whose services are in another stack."""
STACKS = sorted(set(NAMES) - set(WITHOUT_CLUSTER))
WORKLOADS = ("faq", "resnet", "web")
LEFT_TO_NAMESPACES = (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))
WITH_ROOM_FOR_ALL = ("dev", "prod")
Place = tuple[str, str, str]
"""Of an object: kind, namespace and name."""
NOT_OF_STACKS = ("Event", "Lease", "Node", "Namespace", "CSINode")


@pytest.fixture(scope="module", params=STACKS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def there(name: str, api: Api) -> set[Place]:
    """What was there before the stack."""
    return everything(api)


@pytest.fixture(scope="module")
def stack(name: str, there: set[Place], api: Api) -> Iterator[DeployedStack]:
    found = stack_on(api, name)
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


def test_pod_security_is_restricted_but_for_the_device_plugin(stack: DeployedStack) -> None:
    """What it refuses: test_admission.py."""
    enforced = "pod-security.kubernetes.io/enforce"
    levels = {
        each["metadata"]["name"]: each["metadata"]["labels"].get(enforced)
        for each in stack.api.list("/api/v1/namespaces")
        if each["metadata"]["name"] in stack.namespaces
    }
    assert levels.pop(GPU_NAMESPACE, "privileged") == "privileged"
    assert set(levels.values()) == {"restricted"}


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
        start_anew(stack)  # the pods were there before all of their nodes
    nodes = stack.nodes()
    wanted = settings_of(PLATFORMS.get(stack.name, stack.name)).cluster.zones
    for deployment in stack.of_kind("Deployment"):
        pods = [pod for pod in stack.pods() if is_of(pod, deployment)]
        pool = next(p for p in stack.pools if p.labels.items() >= selector_of(deployment).items())
        homes = [node for node in nodes.values() if node["metadata"]["labels"][POOL] == pool.name]
        zones = {node["metadata"]["labels"][ZONE] for node in homes}
        assert len(zones) == min(len(homes), len(wanted) or 1)
        for label in (ZONE, "kubernetes.io/hostname"):
            places = {node["metadata"]["labels"][label] for node in homes}
            counts = Counter(
                nodes[pod["spec"]["nodeName"]]["metadata"]["labels"][label] for pod in pods
            )
            assert max(counts.values()) - min(counts[place] for place in places) <= 1, (
                f"{deployment['metadata']['name']}: {dict(counts)} of {sorted(places)}"
            )


def start_anew(stack: DeployedStack) -> None:
    """Take all pods away, so that their successors are placed on all the nodes there are."""
    for pod in stack.pods():
        stack.api.delete(
            stack.api.path_of({"apiVersion": "v1", "kind": "Pod", **pod}), at_once=True
        )
    stack.settle()


def test_every_pod_is_denied_what_no_policy_allows(stack: DeployedStack) -> None:
    """A policy without any rule selects it, so that it has no rights but those of others."""
    policies = stack.api.list("/apis/networking.k8s.io/v1/networkpolicies")
    for pod in stack.pods():
        of_pod = [
            each["spec"]
            for each in policies
            if each["metadata"]["namespace"] == pod["metadata"]["namespace"]
            and selects(each["spec"]["podSelector"], pod)
        ]
        assert any(allows_nothing(each) for each in of_pod), pod["metadata"]["name"]
        if name_of(pod) in WORKLOADS:
            assert not any({} in each.get("ingress", []) for each in of_pod)
            assert not any({} in each.get("egress", []) for each in of_pod)


def test_whatever_else_comes_into_a_namespace_is_denied_too(stack: DeployedStack) -> None:
    """Pods of charts, of jobs, and of whoever gets in: the policy asks for no label."""
    policies = stack.api.list("/apis/networking.k8s.io/v1/networkpolicies")
    denied = {
        each["metadata"]["namespace"]
        for each in policies
        if allows_nothing(each["spec"]) and not each["spec"]["podSelector"]
    }
    assert denied == set(stack.namespaces)


def allows_nothing(policy: Object) -> bool:
    """Whether a policy closes both ways and opens none."""
    both = sorted(policy["policyTypes"]) == ["Egress", "Ingress"]
    return both and not policy.get("ingress") and not policy.get("egress")


def test_any_node_can_be_drained(stack: DeployedStack) -> None:
    """Every budget lets the node's pods go, one after another, as they find new places, and no
    workload has fewer than it promises meanwhile: in production never none.
    """
    with watched(stack) as availability:
        for name in busy_nodes(stack):
            stack.drain(name)
            stack.settle()
    assert not availability.broken_promises()
    if stack.settings.environment == "prod":
        assert min(availability.fewest.values()) >= 1, availability


def test_at_its_most_pods_no_quota_is_in_the_way(stack: DeployedStack) -> None:
    """Every workload at its most at once, and then a new version of each. The two stacks that users
    start from have nodes for all of these pods too; elsewhere pods may wait for CPU, on a pool at
    its bound, as the settings say.
    """
    for deployment in stack.of_kind("Deployment"):
        stack.scale(deployment, stack.bounds()[deployment["metadata"]["name"]][1])
    wait_for(lambda: pods_are_there(stack), 30, lambda: refusals(stack))
    if stack.name in WITH_ROOM_FOR_ALL:
        stack.settle()
        for deployment in stack.of_kind("Deployment"):
            restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
            change = {"spec": {"template": {"metadata": {"annotations": restarted}}}}
            stack.api.merge(stack.api.path_of(deployment), change)
        wait_for(lambda: all_have_begun_anew(stack), 30, lambda: refusals(stack))
        assert not failures(stack)
    else:
        stack.autoscale()
    nodes = stack.nodes()
    for node, asked in gpus_asked(p for p in stack.pods() if "nodeName" in p["spec"]).items():
        assert asked <= int(nodes[node]["status"]["allocatable"].get(GPU_RESOURCE, "0"))


def test_deleting_the_stack_leaves_nothing_behind(stack: DeployedStack, there: set[Place]) -> None:
    """Runs last. Only production waits for its namespaces: each takes five seconds to go."""
    whole = stack.name == "prod"
    stack.remove(namespaces=whole)
    wait_for(
        lambda: everything(stack.api) <= there,
        30,
        lambda: f"left: {sorted(everything(stack.api) - there)}",
    )
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


def selector_of(deployment: Object) -> dict[str, str]:
    return deployment["spec"]["template"]["spec"]["nodeSelector"]


def busy_nodes(stack: DeployedStack) -> list[str]:
    return sorted({pod["spec"]["nodeName"] for pod in stack.pods() if is_movable(pod)})


def pods_are_there(stack: DeployedStack) -> bool:
    pods = stack.pods()
    return all(
        sum(is_of(pod, each) for pod in pods) == stack.bounds()[each["metadata"]["name"]][1]
        for each in stack.of_kind("Deployment")
    )


def all_have_begun_anew(stack: DeployedStack) -> bool:
    """Whether each Deployment has a pod of its new version."""
    live = [stack.api.get(stack.api.path_of(each)) for each in stack.of_kind("Deployment")]
    return all(
        each["status"].get("observedGeneration") == each["metadata"]["generation"]
        and each["status"].get("updatedReplicas", 0) > 0
        for each in live
    )


def refusals(stack: DeployedStack) -> str:
    return "; ".join(sorted(failures(stack))) or f"{len(stack.pods())} pods"


def failures(stack: DeployedStack) -> set[str]:
    """What the controllers were refused since the stack is there, such as by a quota.

    Two that count against one quota at the same moment are no refusal: the later one tries again.
    """
    ours = {pod["metadata"]["name"].rpartition("-")[0] for pod in stack.pods()}
    events = stack.api.list("/api/v1/events")
    return {
        each["message"]
        for each in events
        if each["reason"] == "FailedCreate"
        and each["involvedObject"]["name"] in ours
        and "please apply your changes to the latest version" not in each["message"]
    }


def everything(api: Api) -> set[Place]:
    """All objects but those that Kubernetes makes for itself."""
    return {
        (kind, each["metadata"].get("namespace", ""), each["metadata"]["name"])
        for kind, path in listable(api)
        for each in api.list(path)
        if (kind, each["metadata"]["name"]) not in LEFT_TO_NAMESPACES
    }


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
