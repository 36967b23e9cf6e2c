"""The charts: pinned, in place before what uses them, and on the system pool."""

from __future__ import annotations

from typing import Any, cast

import pytest

from infra.kubernetes.add_ons import cert_manager_values, envoy_gateway_values
from infra.recording import Recorded, Recording
from infra.scheduling import CRITICAL_TAINT
from tests.infra.kubernetes.platform_objects import FULL, declared, resource_of

EXISTING = {"gateway": {"tls": {"issuer": "existing-secret", "existing_secret": "site"}}}
RELEASE = "kubernetes:helm.sh/v3:Release"


def _release(recording: Recording, name: str) -> Recorded:
    return next(r for r in recording.of_type(RELEASE) if r.inputs["name"] == name)


def test_charts_are_pinned_and_come_from_their_registries() -> None:
    releases = {
        r.inputs["name"]: (r.inputs["chart"], r.inputs["version"])
        for r in declared().of_type(RELEASE)
    }
    assert releases == {
        "envoy-gateway": ("oci://docker.io/envoyproxy/gateway-helm", "v1.9.1"),
        "cert-manager": ("oci://quay.io/jetstack/charts/cert-manager", "v1.21.0"),
    }


def test_a_certificate_that_exists_needs_no_cert_manager() -> None:
    assert [r.inputs["name"] for r in declared(EXISTING).of_type(RELEASE)] == ["envoy-gateway"]


def test_namespaces_are_ours_and_come_first() -> None:
    recording = declared()
    for name, namespace in (
        ("envoy-gateway", "envoy-gateway-system"),
        ("cert-manager", "cert-manager"),
    ):
        release = _release(recording, name)
        assert release.inputs["namespace"] == namespace
        assert release.inputs["createNamespace"] is False
        assert resource_of(recording, "Namespace", namespace).urn in release.options.depends_on


def test_cert_manager_starts_after_the_gateway_api_is_defined() -> None:
    recording = declared()
    gateway = _release(recording, "envoy-gateway")
    assert gateway.urn in _release(recording, "cert-manager").options.depends_on


def test_cert_manager_speaks_the_gateway_api_and_brings_its_kinds() -> None:
    values = cert_manager_values(1)
    assert values["config"] == {"enableGatewayAPI": True}
    assert values["crds"] == {"enabled": True, "keep": True}
    assert values["global"] == {"leaderElection": {"namespace": "cert-manager"}}


def _pods(environment: str) -> list[dict[str, Any]]:
    """The parts of both charts' values that describe pods, certgen's job included."""
    values = {"environment": environment} if environment != "prod" else {
        "environment": "prod",
        "security": {"protect": True},
        "access": {"cluster_admin_groups": ["aaaaaaaa-1111-2222-3333-444444444444"]},
        "faq": {"scaling": {"min_replicas": 2}},
        "resnet": {"scaling": {"min_replicas": 2}},
        **EXISTING,
    }  # fmt: skip
    recording = declared(values)
    envoy = cast(dict[str, Any], _release(recording, "envoy-gateway").inputs["values"])
    deployment = envoy["deployment"]
    return [
        {**deployment["pod"], "resources": deployment["envoyGateway"]["resources"]},
        envoy["certgen"]["job"],
    ]


def test_controllers_run_on_the_system_pool_with_resources() -> None:
    certificates = cast(dict[str, Any], cert_manager_values(1))
    pods = [
        *_pods("dev"),
        certificates,
        certificates["webhook"],
        certificates["cainjector"],
        certificates["startupapicheck"],
    ]
    key, _, effect = CRITICAL_TAINT.replace("=true", "").partition(":")
    for pod in pods:
        assert pod["nodeSelector"] == {"kubernetes.azure.com/mode": "system"}
        assert pod["tolerations"] == [{"key": key, "operator": "Exists", "effect": effect}]
        assert set(pod["resources"]["requests"]) == {"cpu", "memory"}
        assert set(pod["resources"]["limits"]) == {"memory"}


@pytest.mark.parametrize(("replicas", "budget"), [(1, 0), (2, 1)])
def test_a_drain_can_always_take_one_controller(replicas: int, budget: int) -> None:
    values = cast(dict[str, Any], envoy_gateway_values(replicas))
    assert values["deployment"]["replicas"] == replicas
    assert values["podDisruptionBudget"] == {"minAvailable": budget}
    certificates = cast(dict[str, Any], cert_manager_values(replicas))
    assert certificates["podDisruptionBudget"]["enabled"] == (replicas > 1)


def test_everything_of_the_charts_kinds_waits_for_its_chart() -> None:
    recording = declared(FULL)
    envoy = _release(recording, "envoy-gateway").urn
    certificates = _release(recording, "cert-manager").urn
    assert envoy in resource_of(recording, "GatewayClass", "realtime-scoring").options.depends_on
    assert envoy in resource_of(recording, "EnvoyProxy", "scoring").options.depends_on
    assert certificates in resource_of(recording, "Issuer", "gateway").options.depends_on
