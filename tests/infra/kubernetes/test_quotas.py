"""Quotas leave room for everything that the settings allow, and for no load balancer."""

from __future__ import annotations

from typing import Any

import pytest

from infra.kubernetes.quotas import (
    SOLVERS,
    Budget,
    gateway_budget,
    most_pods,
    services_budget,
)
from tests.infra.kubernetes.platform_objects import FULL, declared, objects, settings_with


def _quota(values: dict[str, Any], namespace: str) -> dict[str, str]:
    found = [
        o for o in objects(declared(values))
        if o["kind"] == "ResourceQuota" and o["metadata"]["namespace"] == namespace
    ]  # fmt: skip
    assert len(found) == 1
    return found[0]["spec"]["hard"]


@pytest.mark.parametrize(("replicas", "pods"), [(1, 3), (4, 9), (5, 12), (100, 225)])
def test_a_rolling_update_of_all_pods_fits(replicas: int, pods: int) -> None:
    """New ones, a quarter more rounded up, and old ones that still end."""
    assert most_pods(replicas) == pods


def test_budgets_add_up() -> None:
    assert Budget(1, 2, 3, 4) + Budget(10, 20, 30, 40) == Budget(11, 22, 33, 44)


def test_the_services_budget_is_the_sum_of_the_enabled_workloads() -> None:
    settings = settings_with(
        {
            "faq": {"scaling": {"max_replicas": 4}, "cpu_millicores": 1000, "memory_mib": 512},
            "resnet": {"enabled": False},
        }
    )
    assert services_budget(settings) == Budget(SOLVERS + 9, 200 + 9000, 256 + 9 * 512)


def test_gpus_are_counted_for_the_service_that_uses_them_alone() -> None:
    assert services_budget(settings_with({})).gpus == 0
    settings = settings_with(FULL)
    assert services_budget(settings).gpus == most_pods(settings.resnet.scaling.max_replicas)


def test_more_proxies_need_more_room() -> None:
    few = gateway_budget(settings_with({"gateway": {"max_replicas": 1}}))
    many = gateway_budget(settings_with({"gateway": {"max_replicas": 10}}))
    assert many.pods - few.pods == most_pods(10) - most_pods(1)
    assert many.millicores > few.millicores


@pytest.mark.parametrize("values", [{}, FULL])
def test_quotas_say_what_the_budget_says(values: dict[str, Any]) -> None:
    budget = services_budget(settings_with(values))
    quota = _quota(values, "scoring")
    assert quota["pods"] == str(budget.pods)
    assert quota["requests.cpu"] == f"{budget.millicores}m"
    assert quota["requests.memory"] == quota["limits.memory"] == f"{budget.mebibytes}Mi"
    assert quota["requests.nvidia.com/gpu"] == str(budget.gpus)


def test_only_the_gateway_may_have_a_load_balancer() -> None:
    assert _quota({}, "scoring")["services.loadbalancers"] == "0"
    assert _quota({}, "envoy-gateway-system")["services.loadbalancers"] == "1"


def test_containers_that_ask_for_nothing_get_a_little() -> None:
    limits = [o for o in objects(declared({})) if o["kind"] == "LimitRange"]
    assert {o["metadata"]["namespace"] for o in limits} == {"scoring", "envoy-gateway-system"}
    for found in limits:
        (container,) = found["spec"]["limits"]
        assert container["type"] == "Container"
        assert set(container["defaultRequest"]) == {"cpu", "memory"}
        # A default CPU limit below a container's own request would refuse the pod.
        assert set(container["default"]) == {"memory"}


def test_the_gpu_namespace_holds_node_critical_pods_for_twice_the_pool() -> None:
    quota = next(
        o["spec"] for o in objects(declared(FULL))
        if o["kind"] == "ResourceQuota" and o["metadata"]["namespace"] == "gpu-resources"
    )  # fmt: skip
    assert quota["hard"] == {"pods": "8"}
    (selector,) = quota["scopeSelector"]["matchExpressions"]
    assert selector["values"] == ["system-node-critical"]
