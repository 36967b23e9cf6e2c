"""Every Kubernetes object of every stack has the fields that its cluster's version knows."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from infra.planning.manifests import kubernetes_objects
from tests.infra.kubernetes.platform_objects import definitions
from tests.infra.plans import NAMES, recording_of, settings_of

WITHOUT_DEFINITION = {("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass")}
"""The cluster's add-on brings it, in the version that AKS chooses: no chart of ours pins it."""
ENVELOPE = {"apiVersion", "kind", "metadata"}

every_stack = pytest.mark.parametrize("stack", NAMES)


@every_stack
def test_built_in_objects_are_valid(stack: str) -> None:
    version = settings_of(stack).cluster.kubernetes_version
    problems: list[str] = []
    for found in kubernetes_objects(recording_of(stack).resources):
        if not _is_custom(found):
            problems += _problems(json.dumps(found, sort_keys=True), version)
    assert problems == []


@every_stack
def test_custom_objects_are_valid(stack: str) -> None:
    for found in kubernetes_objects(recording_of(stack).resources):
        key = str(found["apiVersion"]), str(found["kind"])
        if _is_custom(found) and key not in WITHOUT_DEFINITION:
            _validator(*key).validate({k: v for k, v in found.items() if k not in ENVELOPE})


@every_stack
def test_the_schemas_of_the_clusters_version_are_here(stack: str) -> None:
    """It would fall back to those of an older version in silence."""
    version = settings_of(stack).cluster.kubernetes_version
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    assert kubernetes_validate.validate(namespace, version, strict=True) == version


def test_a_misspelt_field_of_a_custom_object_is_found() -> None:
    wrong = {"spec": {"targetRefs": [], "tls": {"minimumVersion": "1.2"}}}
    with pytest.raises(jsonschema.ValidationError, match="minimumVersion"):
        _validator("gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy").validate(wrong)


def test_a_misspelt_field_is_found() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "n"},
        "spec": {"portz": []},
    }
    assert "portz" in _problems(json.dumps(service), "1.36")[0]


@functools.cache
def _problems(found: str, version: str) -> list[str]:
    """Most objects are the same in most stacks; each is looked at once."""
    manifest: dict[str, Any] = json.loads(found)
    name = f"{manifest['kind']} {manifest['metadata']['name']}"
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError as missing:
        return [f"{name}: {missing.message}"]
    except kubernetes_validate.ValidationError as wrong:
        return [f"{name}: {'.'.join(map(str, wrong.path))}: {wrong.message}"]
    return []


def _is_custom(found: dict[str, Any]) -> bool:
    """Kinds of Kubernetes itself have groups without a dot, or of k8s.io."""
    group = str(found["apiVersion"]).rpartition("/")[0]
    if group == "gateway.networking.k8s.io" or group.endswith(".x-k8s.io"):
        return True
    return "." in group and not group.endswith(".k8s.io")


@functools.cache
def _validator(version: str, kind: str) -> jsonschema.Draft202012Validator:
    """Of everything but the envelope, which a definition leaves to Kubernetes."""
    schema = definitions()[version, kind]
    properties = {name: part for name, part in schema["properties"].items() if name not in ENVELOPE}
    required = [name for name in schema.get("required", ()) if name not in ENVELOPE]
    return jsonschema.Draft202012Validator(
        {**schema, "properties": properties, "required": required}
    )
