"""The autoscaler as Kubernetes' own controller runs it, on pod metrics that the tests write."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.api import Api, Object, Refused
from tests.cluster.deployed_stack import (
    AUTOSCALERS,
    DEPLOYMENTS,
    DeployedStack,
    gpus_asked,
    stack_on,
)
from tests.cluster.made_by_controllers import KEDA_LABELS
from tests.waiting import wait_for

METRICS = "metrics.k8s.io/v1beta1"
QUEUE_METRICS = "external.metrics.k8s.io/v1beta1"
QUEUE_METRIC = "s0-prometheus"
FASTER = 60
"""The autoscaler's windows are this much shorter here: minutes become seconds."""


@pytest.fixture(scope="module")
def stack(api: Api) -> Iterator[DeployedStack]:
    """Production, with the time of the two services' autoscalers run fast."""
    stack = stack_on(api, "prod")
    questions = stack.one("HorizontalPodAutoscaler", "faq")["spec"]
    pictures = stack.one("ScaledObject", "resnet")["spec"]["advanced"]
    for behavior in (questions, pictures["horizontalPodAutoscalerConfig"]):
        run_fast(behavior["behavior"])
    try:
        stack.apply()
        stack.settle()
        yield stack
    finally:
        for each in stack.api.list(f"/apis/{METRICS}/pods"):
            stack.api.delete(f"/apis/{METRICS}/namespaces/scoring/pods/{each['metadata']['name']}")
        stack.api.delete(f"/apis/{QUEUE_METRICS}/namespaces/scoring/{QUEUE_METRIC}/resnet")
        stack.remove()


def run_fast(behavior: Object) -> None:
    for rules in behavior.values():
        rules["stabilizationWindowSeconds"] //= FASTER
        for policy in rules["policies"]:
            policy["periodSeconds"] //= FASTER // 2  # longer than the controller's own period


def under_load(stack: DeployedStack, percent: int) -> None:
    """Every question pod uses this share of the CPU that it asks for."""
    for pod in stack.pods("faq"):
        container = pod["spec"]["containers"][0]
        asked = container["resources"]["requests"]["cpu"]
        cores = int(asked[:-1]) / 1000 if asked.endswith("m") else int(asked)
        usage = {"cpu": f"{int(cores * percent * 10)}m", "memory": "100Mi"}
        metrics: Object = {
            "apiVersion": METRICS,
            "kind": "PodMetrics",
            "metadata": {
                "name": pod["metadata"]["name"],
                "namespace": "scoring",
                "labels": pod["metadata"]["labels"],
            },
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(),
            "window": "15s",
            "containers": [{"name": "faq", "usage": usage}],
        }
        stack.api.apply(metrics)


def with_queue(stack: DeployedStack, waiting: int) -> None:
    """As many requests wait in all picture pods together."""
    metric: Object = {
        "apiVersion": QUEUE_METRICS,
        "kind": "ExternalMetricValue",
        "metadata": {"name": "resnet", "namespace": "scoring", "labels": KEDA_LABELS},
        "metricName": QUEUE_METRIC,
        "timestamp": datetime.datetime.now(datetime.UTC).isoformat(),
        "value": str(waiting),
    }
    stack.api.apply(metric)


def counts_under(
    stack: DeployedStack,
    load: int,
    enough: Callable[[int], bool],
    workload: str = "faq",
) -> list[int]:
    """The numbers of pods that the autoscaler asks for, one after another, until ``enough``.

    Every change is told by the server: who only looks now and then takes two steps for one.

    Args:
        load: percent of the CPU that each question pod asks for; requests that wait for pictures.
    """
    deployment = stack.one("Deployment", workload)
    path = stack.api.path_of(deployment)
    before = stack.api.get(DEPLOYMENTS)

    def history() -> list[int]:
        since = stack.api.changes(DEPLOYMENTS, before["metadata"]["resourceVersion"])
        names = {key: deployment["metadata"][key] for key in ("namespace", "name")}
        wanted = [
            each["spec"]["replicas"]
            for each in (*before["items"], *(changed for _, changed in since))
            if names.items() <= each["metadata"].items()
        ]
        return [number for number, _ in itertools.groupby(wanted)]

    def done() -> bool:
        (under_load if workload == "faq" else with_queue)(stack, load)
        return enough(stack.api.get(path)["spec"]["replicas"])

    wait_for(done, 60, lambda: f"went through {history()}")
    return history()


def test_pods_at_their_target_stay_as_many_as_they_are(stack: DeployedStack) -> None:
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    seen = counts_under(stack, 60, lambda wanted: datetime.datetime.now(datetime.UTC) > until)
    assert seen == [3]


def test_load_adds_pods_no_faster_than_twice_and_no_more_than_the_most(
    stack: DeployedStack,
) -> None:
    seen = counts_under(stack, 100, lambda wanted: wanted >= 24)
    steps = list(itertools.pairwise(seen))
    assert all(after <= max(2 * before, before + 2) for before, after in steps), seen
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    most = counts_under(stack, 100, lambda wanted: datetime.datetime.now(datetime.UTC) > until)
    assert most == [24]
    stack.settle()


def test_without_load_pods_go_down_to_the_least_and_no_further(stack: DeployedStack) -> None:
    seen = counts_under(stack, 1, lambda wanted: wanted <= 3)
    steps = list(itertools.pairwise(seen))
    assert all(after >= before // 2 for before, after in steps), seen
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    least = counts_under(stack, 1, lambda wanted: datetime.datetime.now(datetime.UTC) > until)
    assert least == [3]


def test_waiting_pictures_add_pods_until_the_most_and_no_more(stack: DeployedStack) -> None:
    """KEDA's autoscaler on the depth of the queue: eight to each pod, and a GPU to each pod."""
    assert counts_under(stack, 3 * 8, lambda wanted: wanted == 3, "resnet") == [2, 3]
    seen = counts_under(stack, 100 * 8, lambda wanted: wanted >= 6, "resnet")
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    after = counts_under(
        stack, 100 * 8, lambda wanted: datetime.datetime.now(datetime.UTC) > until, "resnet"
    )
    assert (seen[-1], after) == (6, [6])
    stack.settle()
    assert set(gpus_asked(stack.pods("resnet")).values()) == {1}


def test_an_empty_queue_leaves_the_least(stack: DeployedStack) -> None:
    seen = counts_under(stack, 0, lambda wanted: wanted <= 2, "resnet")
    assert seen[-1] == 2
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    after = counts_under(
        stack, 0, lambda wanted: datetime.datetime.now(datetime.UTC) > until, "resnet"
    )
    assert after == [2]


def test_a_manifest_applied_again_takes_no_pod_back(stack: DeployedStack) -> None:
    """The Deployment says nothing of its number of pods, so that `up` leaves the autoscaler's.

    Which is away meanwhile, or it might take them back itself.
    """
    deployment, scaler = (stack.one(k, "faq") for k in ("Deployment", "HorizontalPodAutoscaler"))
    stack.api.delete(stack.api.path_of(scaler))
    stack.scale(deployment, 5)
    again = stack.api.apply(deployment)
    stack.api.apply(scaler)
    assert again["spec"]["replicas"] == 5


def test_every_deployment_has_one_autoscaler_and_each_finds_its_own(stack: DeployedStack) -> None:
    """A name that is misspelt would scale nothing, and nobody would hear of it."""
    found = {each["spec"]["scaleTargetRef"]["name"] for each in stack.api.list(AUTOSCALERS)}
    assert found == {each["metadata"]["name"] for each in stack.of_kind("Deployment")}
    wait_for(lambda: not unable(stack), 20, lambda: f"cannot scale: {unable(stack)}")


def unable(stack: DeployedStack) -> list[str]:
    """The autoscalers that have not found what they scale."""
    return [
        each["metadata"]["name"]
        for each in stack.api.list(AUTOSCALERS)
        if ("AbleToScale", "True")
        not in {(c["type"], c["status"]) for c in each.get("status", {}).get("conditions", [])}
    ]


def test_nobody_is_let_over_the_quota(stack: DeployedStack) -> None:
    """It is at work: a pod beyond it is refused by name."""
    path = stack.api.path_of(stack.one("ResourceQuota", "quota"))
    # Not as many as are used: pods that the autoscaler took away may still be counted there.
    stack.api.merge(path, {"spec": {"hard": {"pods": "0"}}})
    # What is admitted is measured against the status, which a controller writes.
    wait_for(
        lambda: stack.api.get(path)["status"]["hard"]["pods"] == "0",
        30,
        lambda: "the quota's status kept its old limit",
    )
    pod = stack.one("Deployment", "faq")["spec"]["template"]
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "beyond", "namespace": "scoring", "labels": {}},
        "spec": pod["spec"],
    }
    with pytest.raises(Refused, match="exceeded quota"):
        stack.api.create(body, dry_run=True)
