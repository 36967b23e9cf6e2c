"""Namespaces are restricted, and there only where something lives in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.kubernetes.platform_objects import FULL, declared, manifest, objects, resource_of

EXISTING = {"gateway": {"tls": {"issuer": "existing-secret", "existing_secret": "site"}}}
MODES = ("enforce", "audit", "warn")


def _namespaces(values: dict[str, Any]) -> set[str]:
    return {o["metadata"]["name"] for o in objects(declared(values)) if o["kind"] == "Namespace"}


def test_defaults_need_no_gpu_namespace() -> None:
    assert _namespaces({}) == {"scoring", "envoy-gateway-system", "cert-manager"}


def test_a_certificate_that_exists_needs_no_cert_manager() -> None:
    assert _namespaces(EXISTING) == {"scoring", "envoy-gateway-system"}


def test_a_gpu_service_brings_the_device_plugins_namespace() -> None:
    assert "gpu-resources" in _namespaces(FULL)


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("scoring", "restricted"),
        ("envoy-gateway-system", "restricted"),
        ("cert-manager", "restricted"),
        ("gpu-resources", "privileged"),
    ],
)
def test_pod_security_standards(name: str, standard: str) -> None:
    labels = manifest(declared(FULL), "Namespace", name)["metadata"]["labels"]
    assert [labels[f"pod-security.kubernetes.io/{mode}"] for mode in MODES] == [standard] * 3


def test_whatever_is_in_a_namespace_depends_on_it() -> None:
    recording = declared(FULL)
    services = resource_of(recording, "Namespace", "scoring")
    gateway = resource_of(recording, "Gateway", "scoring")
    assert services.urn in gateway.options.depends_on


def test_objects_are_children_of_their_component() -> None:
    recording = declared(FULL)
    component = recording.one("realtime-scoring:kubernetes:Namespaces")
    for kind, name in (("Namespace", "scoring"), ("LimitRange", "limits")):
        found = [
            r for r in recording.resources
            if r.inputs.get("kind") == kind and r.name.startswith("namespaces-services")
        ]  # fmt: skip
        assert [r.parent for r in found] == [component.urn], name
    assert component.outputs
