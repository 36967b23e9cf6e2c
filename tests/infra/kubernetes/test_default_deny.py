"""Nothing talks to anything unless a rule says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.kubernetes.platform_objects import FULL, declared, objects, spec_of

NAMESPACES = ["scoring", "envoy-gateway-system", "cert-manager", "gpu-resources"]


def _policies(namespace: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        found["metadata"]["name"]: found["spec"]
        for found in objects(declared(FULL if values is None else values))
        if found["kind"] == "NetworkPolicy" and found["metadata"]["namespace"] == namespace
    }


def _open_ports(rules: list[dict[str, Any]]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_namespace_denies_both_directions_by_default(namespace: str) -> None:
    deny = _policies(namespace)["default-deny"]
    assert deny["podSelector"] == {"matchLabels": {}}
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert not deny["ingress"]
    assert not deny["egress"]


@pytest.mark.parametrize("namespace", NAMESPACES[:3])
def test_dns_is_allowed_to_the_clusters_dns_only(namespace: str) -> None:
    (rule,) = _policies(namespace)["allow-dns"]["egress"]
    (peer,) = rule["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "kube-system"
    }
    assert peer["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}
    assert {(p["port"], p["protocol"]) for p in rule["ports"]} == {(53, "TCP"), (53, "UDP")}


def test_the_device_plugin_talks_to_nobody() -> None:
    assert set(_policies("gpu-resources")) == {"default-deny"}


def test_only_the_gateway_reaches_challenge_solvers_and_only_with_acme() -> None:
    policy = _policies("scoring")["allow-acme-solvers"]
    assert policy["podSelector"]["matchLabels"] == {"acme.cert-manager.io/http01-solver": "true"}
    (rule,) = policy["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"] == {
        "gateway.envoyproxy.io/owning-gateway-name": "scoring"
    }
    assert _open_ports([rule]) == {8089}
    assert "allow-acme-solvers" not in _policies("scoring", {})


def test_everybody_reaches_the_proxies_and_they_reach_the_services() -> None:
    policy = _policies("envoy-gateway-system")["allow-proxies"]
    everybody, monitoring = policy["ingress"]
    assert "from" not in everybody
    assert _open_ports([everybody]) == {10080, 10443}
    assert monitoring["from"]
    services, controllers = policy["egress"]
    assert services["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "scoring"
    }
    assert _open_ports([services]) == {8080, 8089}
    assert _open_ports([controllers]) == {18000, 18001, 18002}


def test_the_proxies_allowance_names_the_gateway_that_exists() -> None:
    recording = declared(FULL)
    policy = _policies("envoy-gateway-system")["allow-proxies"]
    name = policy["podSelector"]["matchLabels"]["gateway.envoyproxy.io/owning-gateway-name"]
    assert spec_of(recording, "Gateway", name)


def test_cert_manager_reaches_acme_and_its_own_challenge() -> None:
    policy = _policies("cert-manager")["allow-cert-manager"]
    outside, proxies = policy["egress"]
    assert outside["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert _open_ports([outside]) == {80, 443}
    assert _open_ports([proxies]) == {10080, 10443}
