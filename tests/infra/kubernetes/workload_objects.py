"""The workloads' objects for a stack's settings, as the plan would record them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pulumi
import pulumi_azure_native as azure

from infra.azure.locks import Locks
from infra.azure.place import Place
from infra.azure.workload_identity import WorkloadIdentities, WorkloadIdentitiesArgs
from infra.images import ServiceImages, ServiceImagesArgs
from infra.kubernetes.api_keys import ApiKeys, ApiKeysArgs
from infra.kubernetes.namespaces import Namespaces, NamespacesArgs
from infra.kubernetes.workloads import Workloads, WorkloadsArgs
from infra.naming import Naming, tags
from infra.recording import Recording, record_component
from infra.settings import Settings
from infra.stacks.platform_outputs import PlatformOutputs
from tests.infra.kubernetes.platform_objects import settings_with

WEB_KEY = "rts_a-key-that-is-only-for-this-test"
CLIENT_SECRET = "a-client-secret-that-is-only-for-this-test"
SIGN_IN: dict[str, Any] = {"client_id": "page-id", "groups": ["a-group"]}
WEB: dict[str, Any] = {"enabled": True, "api_key": WEB_KEY, "sign_in": SIGN_IN}
WITH_SECRET: dict[str, Any] = {**WEB, "sign_in": {**SIGN_IN, "client_secret": CLIENT_SECRET}}
VAULT: dict[str, Any] = {"key_vault": {"enabled": True}}
GPU: dict[str, Any] = {
    "resnet": {"device": "gpu", "scaling": {"metric": "queue", "target_queue_depth": 6}},
    "monitoring": {"prometheus": True},
    "cluster": {"gpu_pool": {"spot": True, "max_nodes": 4}},
}


def declared_workloads(values: Mapping[str, Any] | None = None) -> Recording:
    """What a stack with these keys declares; the same keys are run once."""
    return _declared(json.dumps(dict(values or {}), sort_keys=True))


@functools.cache
def _declared(values: str) -> Recording:
    settings = settings_with(json.loads(values))
    return record_component(lambda: declare_workloads(settings))


def declare_workloads(settings: Settings) -> dict[str, str]:
    """As `infra/stacks/services.py` does, without what stands around them; the backends' ports."""
    azure_opts = pulumi.ResourceOptions(provider=azure.Provider("azure"))
    platform = PlatformOutputs(
        **{
            field.name: pulumi.Output.from_input(field.name)
            for field in fields(PlatformOutputs)
            if field.name != "ready"
        }
    )
    place = _place()
    images = ServiceImages(
        "images", ServiceImagesArgs(settings, registry_login_server="registry.azurecr.io")
    )
    identities = WorkloadIdentities(
        "identities",
        WorkloadIdentitiesArgs(
            place,
            settings,
            oidc_issuer_url="https://issuer",
            key_vault_id="key-vault-id",
            prometheus_workspace_id="prometheus-workspace-id",
        ),
        azure_opts,
    )
    namespaces = Namespaces("namespaces", NamespacesArgs(settings))
    keys = ApiKeys(
        "api-keys",
        ApiKeysArgs(place, settings, namespaces, identities, platform),
        None,
        azure_opts,
    )
    workloads = Workloads(
        "workloads", WorkloadsArgs(settings, namespaces, images, identities, keys, platform)
    )
    for name, backend in workloads.backends.items():
        pulumi.export(name, pulumi.Output.concat(backend.service_name, ":", str(backend.port)))
    return {}


def _place() -> Place:
    subscription = "11111111-1111-1111-1111-111111111111"
    return Place(
        naming=Naming("scoring", "test", "westeurope", subscription),
        location="westeurope",
        subscription_id=subscription,
        tenant_id="22222222-2222-2222-2222-222222222222",
        tags=tags("scoring", "test", "test", {}),
        resource_group_name="rg-scoring-test",
        protect=False,
        locks=Locks(wanted=False),
    )
