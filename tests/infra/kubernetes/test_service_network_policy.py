"""Who may call whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.kubernetes.platform_objects import spec_of
from tests.infra.kubernetes.workload_objects import WEB, declared_workloads

METRICS = {"monitoring": {"prometheus": True}}
GATEWAY = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "envoy-gateway-system"}},
    "podSelector": {"matchLabels": {"gateway.envoyproxy.io/owning-gateway-name": "scoring"}},
}
AGENT = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"rsName": "ama-metrics"}},
}


def policy(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return spec_of(declared_workloads(values), "NetworkPolicy", name)


def neighbour(name: str) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "realtime-scoring",
    }
    return {"podSelector": {"matchLabels": labels}}


def test_the_gateway_alone_calls_a_service() -> None:
    assert policy("faq", {})["ingress"] == [
        {"from": [GATEWAY], "ports": [{"port": 8080, "protocol": "TCP"}]}
    ]


def test_the_page_calls_the_services_too() -> None:
    (rule,) = policy("faq", {"web": WEB})["ingress"]
    assert rule["from"] == [GATEWAY, neighbour("web")]
    (rule,) = policy("web", {"web": WEB})["ingress"]
    assert rule["from"] == [GATEWAY]


def test_the_metrics_port_is_for_the_agent() -> None:
    _, rule = policy("resnet", METRICS)["ingress"]
    assert rule == {"from": [AGENT], "ports": [{"port": 9090, "protocol": "TCP"}]}


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_a_service_calls_nobody_but_dns(name: str) -> None:
    found = policy(name, {"web": WEB})
    assert found["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = found["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}


def test_the_page_calls_the_services_and_no_others() -> None:
    _, rule, _ = policy("web", {"web": WEB})["egress"]
    assert rule == {
        "to": [neighbour("faq"), neighbour("resnet")],
        "ports": [{"port": 8080, "protocol": "TCP"}],
    }
    _, rule, _ = policy("web", {"web": WEB, "resnet": {"enabled": False}})["egress"]
    assert rule["to"] == [neighbour("faq")]


def test_a_traced_service_calls_the_collector_too() -> None:
    traces = {"namespace": "observability", "service": "collector", "port": 14317}
    values = {"monitoring": {"traces": traces}, "web": WEB}
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}
    for name in ("faq", "resnet"):
        dns, rule = policy(name, values)["egress"]
        assert {port["port"] for port in dns["ports"]} == {53}
        assert rule == {
            "to": [{"namespaceSelector": namespace}],
            "ports": [{"port": 14317, "protocol": "TCP"}],
        }
    assert policy("web", values)["egress"] == policy("web", {"web": WEB})["egress"]
