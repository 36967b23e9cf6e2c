"""The Gateway: two listeners, one address, proxies that scale and can be drained."""

from __future__ import annotations

from typing import Any

from infra.recording import record_component
from infra.scheduling import POOL_LABEL, SPOT_TAINT_KEY, SPOT_TAINT_VALUE
from tests.infra.kubernetes.platform_objects import (
    BEHIND_FIREWALL,
    FULL,
    declare_platform_objects,
    declared,
    resource_of,
    settings_with,
    spec_of,
)

AZURE = "service.beta.kubernetes.io/azure"
FIREWALL: dict[str, Any] = {
    "gateway": {
        **BEHIND_FIREWALL,
        "tls": {"issuer": "existing-secret", "existing_secret": "site"},
        "internal_address": "10.40.3.77",
    }
}


def _kubernetes(values: dict[str, Any] | None = None) -> dict[str, Any]:
    return spec_of(declared(values), "EnvoyProxy", "scoring")["provider"]["kubernetes"]


def test_the_gateway_uses_our_class_and_our_proxies() -> None:
    recording = declared()
    gateway = spec_of(recording, "Gateway", "scoring")
    gateway_class = spec_of(recording, "GatewayClass", gateway["gatewayClassName"])
    assert gateway_class["controllerName"] == "gateway.envoyproxy.io/gatewayclass-controller"
    parameters = gateway["infrastructure"]["parametersRef"]
    assert resource_of(recording, parameters["kind"], parameters["name"])


def test_listeners_serve_one_host_name_and_this_namespace_only() -> None:
    gateway = spec_of(declared(FULL), "Gateway", "scoring")
    assert [(x["name"], x["protocol"], x["port"]) for x in gateway["listeners"]] == [
        ("http", "HTTP", 80),
        ("https", "HTTPS", 443),
    ]
    for listener in gateway["listeners"]:
        assert listener["hostname"] == "scoring.contoso.com"
        assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert gateway["listeners"][1]["tls"]["mode"] == "Terminate"


def test_the_load_balancer_takes_the_stacks_public_address() -> None:
    service = _kubernetes()["envoyService"]
    assert service["type"] == "LoadBalancer"
    assert service["externalTrafficPolicy"] == "Local"
    assert service["annotations"] == {
        f"{AZURE}-pip-name": "gateway_address_name",
        f"{AZURE}-load-balancer-resource-group": "resource_group_name",
    }


def test_behind_the_firewall_the_load_balancer_has_no_public_address() -> None:
    assert _kubernetes(FIREWALL)["envoyService"]["annotations"] == {
        f"{AZURE}-load-balancer-internal": "true",
        f"{AZURE}-load-balancer-ipv4": "10.40.3.77",
    }


def test_the_autoscaler_owns_the_number_of_proxies() -> None:
    proxies = _kubernetes(FULL)
    assert (proxies["envoyHpa"]["minReplicas"], proxies["envoyHpa"]["maxReplicas"]) == (2, 6)
    assert "replicas" not in proxies["envoyDeployment"]


def test_a_drain_can_take_the_only_proxy() -> None:
    assert _kubernetes()["envoyHpa"]["minReplicas"] == 1
    assert _kubernetes()["envoyPDB"] == {"maxUnavailable": 1}


def test_proxies_meet_the_restricted_standard() -> None:
    deployment = _kubernetes()["envoyDeployment"]
    pod = deployment["pod"]["securityContext"]
    container = deployment["container"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["privileged"] is False
    assert container["runAsUser"] > 10_000


def test_proxies_ask_for_memory_and_are_not_throttled() -> None:
    resources = _kubernetes()["envoyDeployment"]["container"]["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" in resources["requests"]
    assert "cpu" not in resources["limits"]


def test_proxies_spread_over_zones_and_nodes_of_the_cpu_pool() -> None:
    pod = _kubernetes(FULL)["envoyDeployment"]["pod"]
    assert pod["nodeSelector"] == {POOL_LABEL: "cpu"}
    assert [c["topologyKey"] for c in pod["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    (toleration,) = pod["tolerations"]
    assert (toleration["key"], toleration["value"]) == (SPOT_TAINT_KEY, SPOT_TAINT_VALUE)
    assert _kubernetes()["envoyDeployment"]["pod"]["tolerations"] == []


def test_a_proxy_that_ends_waits_for_the_longest_request() -> None:
    values = {"gateway": {"request_timeout_seconds": 120}}
    shutdown = spec_of(declared(values), "EnvoyProxy", "scoring")["shutdown"]
    assert int(shutdown["drainTimeout"].removesuffix("s")) > 120


def test_the_gateway_comes_after_its_class_and_its_proxies() -> None:
    recording = declared()
    after = resource_of(recording, "Gateway", "scoring").options.depends_on
    assert resource_of(recording, "GatewayClass", "realtime-scoring").urn in after
    assert resource_of(recording, "EnvoyProxy", "scoring").urn in after


def test_urls_name_every_enabled_workload() -> None:
    urls: dict[str, str] = {}
    settings = settings_with(FULL)
    record_component(lambda: urls.update(declare_platform_objects(settings)))
    assert urls == {
        "faq": "https://scoring.contoso.com/faq",
        "resnet": "https://scoring.contoso.com/resnet",
        "web": "https://scoring.contoso.com/",
    }


def test_objects_are_children_of_the_gateway() -> None:
    recording = declared(FULL)
    component = recording.one("realtime-scoring:kubernetes:ScoringGateway")
    for kind, name in (("Gateway", "scoring"), ("HTTPRoute", "faq"), ("EnvoyProxy", "scoring")):
        assert resource_of(recording, kind, name).parent == component.urn
    certificates = recording.one("realtime-scoring:kubernetes:Certificates")
    assert certificates.parent == component.urn
    assert certificates.outputs == {"secretName": "gateway-certificate"}
