"""The platform's Kubernetes objects for a stack's settings, as the plan would record them."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml

from infra.kubernetes.access import ClusterRoles, ClusterRolesArgs
from infra.kubernetes.add_ons import AddOns, AddOnsArgs
from infra.kubernetes.gateway import ScoringGateway, ScoringGatewayArgs
from infra.kubernetes.gpu import GpuDevicePlugin, GpuDevicePluginArgs
from infra.kubernetes.metrics_collection import MetricsCollection
from infra.kubernetes.namespaces import Namespaces, NamespacesArgs
from infra.kubernetes.places import API_PORT
from infra.kubernetes.workloads import Backend, Workloads
from infra.recording import Recorded, Recording, record_component
from infra.settings import Settings, read_settings
from infra.stacks.platform_outputs import PlatformOutputs
from infra.workload import enabled

GROUP = "aaaaaaaa-1111-2222-3333-444444444444"
OTHER_GROUP = "bbbbbbbb-1111-2222-3333-444444444444"
USER = "cccccccc-1111-2222-3333-444444444444"
USER_NAME = "ada@example.org"
GUEST = "dddddddd-1111-2222-3333-444444444444"
ROOT = Path(__file__).parents[3]
CRDS = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared")) / "engine" / "crds"

PLAIN: dict[str, Any] = {
    "subscription_id": "11111111-1111-1111-1111-111111111111",
    "tenant_id": "22222222-2222-2222-2222-222222222222",
}
GPU_POOL: dict[str, Any] = {"vm_size": "Standard_NC4as_T4_v3", "max_nodes": 4}
FULL: dict[str, Any] = {
    "cluster": {"gpu_pool": GPU_POOL, "cpu_pool": {"spot": True}},
    "resnet": {"device": "gpu"},
    "web": {"enabled": True, "api_key": "key", "sign_in": {"client_id": "page", "everyone": True}},
    "monitoring": {"prometheus": True},
    "access": {
        "operator_groups": [GROUP],
        "operator_users": [
            {"object_id": USER, "user_principal_name": USER_NAME},
            {"object_id": GUEST},
        ],
        "reader_groups": [OTHER_GROUP],
    },
    "gateway": {
        "host_name": "scoring.contoso.com",
        "tls": {"issuer": "acme", "email": "ops@contoso.com"},
        "allowed_networks": ["203.0.113.0/24"],
        "replicas": 2,
        "max_replicas": 6,
    },
}
BEHIND_FIREWALL: dict[str, Any] = {
    "web_application_firewall": "prevention",
    "firewall_certificate_id": "https://vault.vault.azure.net/secrets/certificate",
    "firewall_certificate_vault_id": "/subscriptions/11111111-1111-1111-1111-111111111111"
    "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/vault",
}


def settings_with(values: Mapping[str, Any] | None = None) -> Settings:
    """Settings of a stack file with these keys, and the ones that all need."""
    return read_settings({**PLAIN, **(values or {})})


def declared(values: Mapping[str, Any] | None = None) -> Recording:
    """What a stack with these keys declares; the same keys are run once."""
    return _declared(json.dumps(dict(values or {}), sort_keys=True))


@functools.cache
def _declared(values: str) -> Recording:
    settings = settings_with(json.loads(values))
    return record_component(lambda: declare_platform_objects(settings))


class FakeWorkloads:
    """Stands for the workloads: a Service each."""

    def __init__(self, settings: Settings) -> None:
        self.backends = {
            name: Backend(pulumi.Output.from_input(str(name)), API_PORT)
            for name in enabled(settings)
        }


def declare_platform_objects(settings: Settings) -> dict[str, str]:
    """As `infra/stacks/services.py` does, without images and workloads; the gateway's URLs."""
    namespaces = Namespaces("namespaces", NamespacesArgs(settings))
    add_ons = AddOns("add-ons", AddOnsArgs(settings, namespaces))
    if settings.resnet.enabled and settings.resnet.device == "gpu":
        GpuDevicePlugin("gpu", GpuDevicePluginArgs(settings.cluster.gpu_pool, namespaces))
    if settings.monitoring.prometheus:
        MetricsCollection("metrics-collection")
    ClusterRoles("roles", ClusterRolesArgs(settings.access, namespaces))
    outputs: dict[str, Any] = {
        name: pulumi.Output.from_input(name) for name in PlatformOutputs.names()
    }
    platform = PlatformOutputs(**outputs)
    workloads = cast(Workloads, FakeWorkloads(settings))
    gateway = ScoringGateway(
        "gateway", ScoringGatewayArgs(settings, namespaces, add_ons, workloads, platform)
    )
    return dict(gateway.urls)


def objects(recording: Recording) -> list[dict[str, Any]]:
    """The Kubernetes objects as manifests."""
    return [
        cast(dict[str, Any], dict(resource.inputs))
        for resource in recording.resources
        if resource.custom and "kind" in resource.inputs
    ]


def manifest(recording: Recording, kind: str, name: str) -> dict[str, Any]:
    """The only object of a kind with a name."""
    found = [
        found
        for found in objects(recording)
        if found["kind"] == kind and found["metadata"]["name"] == name
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def spec_of(recording: Recording, kind: str, name: str) -> dict[str, Any]:
    """The specification of the only object of a kind with a name."""
    return manifest(recording, kind, name)["spec"]


def resource_of(recording: Recording, kind: str, name: str) -> Recorded:
    """The resource behind the only object of a kind with a name."""
    found = [
        resource
        for resource in recording.resources
        if resource.custom
        and resource.inputs.get("kind") == kind
        and cast(dict[str, Any], resource.inputs["metadata"])["name"] == name
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


@functools.cache
def definitions() -> dict[tuple[str, str], dict[str, Any]]:
    """Schemas of the pinned charts' kinds, by apiVersion and kind."""
    if not CRDS.is_dir():
        pytest.skip("the custom resource definitions (engine/crds) are not on this machine")
    schemas: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(CRDS.glob("*.yaml")):
        # Megabytes, which the loader in plain Python takes many seconds for.
        for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    key = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                    schemas[key] = _closed(version["schema"]["openAPIV3Schema"])
    return schemas


def _closed(schema: Any) -> Any:
    """The schema without room for unknown fields, which the API server would drop in silence."""
    if isinstance(schema, list):
        return [_closed(part) for part in cast(list[Any], schema)]
    if not isinstance(schema, dict):
        return schema
    given = cast(dict[str, Any], schema)
    result: dict[str, Any] = {}
    for key, value in given.items():
        if key == "properties":
            result[key] = {name: _closed(part) for name, part in value.items()}
        elif key in {"items", "additionalProperties"}:
            result[key] = _closed(value)
        elif not key.startswith("x-kubernetes") and key not in {"default", "format"}:
            result[key] = value
    open_ended = given.get("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in result and "additionalProperties" not in result and not open_ended:
        result["additionalProperties"] = False
    if given.get("x-kubernetes-int-or-string"):
        result.pop("type", None)
    return result
