"""What the engine would answer about a resource, as far as a plan can know it.

Inputs come back as they are. What only Azure or Kubernetes decide (ids, addresses, keys) comes back
as ``<output of URN.property>``, so that the plan shows where each of them flows.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pulumi import _types as sdk_types  # pyright: ignore[reportPrivateUsage]

from infra.planning.wire import Value

DEEPEST = 3
"""Levels of nested outputs that are filled in; the programs here read two."""

HELM_RELEASE = "kubernetes:helm.sh/v3:Release"
NAME_INPUTS = {
    "azure-native:authorization:RoleAssignment": "roleAssignmentName",
    "azure-native:containerservice:MaintenanceConfiguration": "configName",
    "azure-native:managedidentity:FederatedIdentityCredential": (
        "federatedIdentityCredentialResourceName"
    ),
    "azure-native:network:PrivateZone": "privateZoneName",
}
"""Azure inputs that name the resource where `TypeName` + "Name" does not."""


def placeholder(urn: str, path: str) -> str:
    """A value that only a real run knows."""
    return f"<output of {urn}.{path}>"


def resource_id(type_: str, urn: str, inputs: Mapping[str, Value]) -> str:
    """The id that a resource gets: Kubernetes' is its name, Azure's is for Azure to say."""
    if type_.startswith("kubernetes:"):
        metadata = inputs.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
            namespace = metadata.get("namespace")
            return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
    return placeholder(urn, "id")


def state_of(type_: str, urn: str, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """All properties of a resource after it was made."""
    if type_ == "pulumi:pulumi:StackReference":
        return _stack_reference(inputs)
    outputs = _filled(dict(inputs), _output_types(type_), urn, "", DEEPEST)
    metadata = outputs.get("metadata")
    if type_.startswith("kubernetes:") and isinstance(metadata, dict):
        # An object without a name gets one from Pulumi, with random letters at its end.
        outputs["metadata"] = {"name": placeholder(urn, "metadata.name"), **metadata}
    name = _name(type_, inputs)
    if name is not None:
        outputs["name"] = name
    return outputs


def _filled(
    values: dict[str, Value], types: Mapping[str, Any], urn: str, path: str, deepest: int
) -> dict[str, Value]:
    for key, kind in types.items():
        value = _output(values.get(key), kind, urn, f"{path}{key}", deepest)
        if value is not None:
            values[key] = value
    return values


def _output(value: Value, kind: Any, urn: str, path: str, deepest: int) -> Value:
    if value is None and kind is str:
        return placeholder(urn, path)
    if deepest == 0:
        return value
    if isinstance(kind, type) and sdk_types.is_output_type(kind):
        if value is None or isinstance(value, dict):
            inner = sdk_types.output_type_types(kind)
            return _filled(dict(value or {}), inner, urn, f"{path}.", deepest - 1) or None
        return value
    arguments = typing.get_args(kind)
    if isinstance(value, list) and _is_map_of_objects(kind):
        # `userAssignedIdentities` goes in as a list of ids and comes back by id.
        return {
            str(item): _output({}, arguments[1], urn, f"{path}[{item}]", deepest - 1)
            for item in value
        }
    if isinstance(value, list) and len(arguments) == 1:
        return [
            _output(item, arguments[0], urn, f"{path}[{place}]", deepest - 1)
            for place, item in enumerate(value)
        ]
    return value


def _is_map_of_objects(kind: Any) -> bool:
    arguments = typing.get_args(kind)
    return len(arguments) == 2 and sdk_types.is_output_type(arguments[1])


def _name(type_: str, inputs: Mapping[str, Value]) -> str | None:
    if not type_.startswith("azure-native:"):
        return None
    resource = type_.rsplit(":", 1)[1]
    usual = f"{resource[0].lower()}{resource[1:]}Name"
    for key in (NAME_INPUTS.get(type_, usual), usual.replace("IPA", "IpA"), "resourceName"):
        name = inputs.get(key)
        if isinstance(name, str):
            return name
    return None


def _stack_reference(inputs: Mapping[str, Value]) -> dict[str, Value]:
    from infra.stacks.platform_outputs import PlatformOutputs

    stack = inputs["name"]
    outputs: dict[str, Value] = {
        name: f"<output of {stack}.{name}>" for name in PlatformOutputs.__dataclass_fields__
    }
    return {"name": stack, "outputs": outputs, "secretOutputNames": []}


@functools.cache
def _output_types(type_: str) -> Mapping[str, Any]:
    """Types of the properties, by name; none of Kubernetes objects, whose specs come back as sent."""
    if type_.startswith("kubernetes:") and type_ != HELM_RELEASE:
        return {}
    for resource in _subclasses(pulumi.CustomResource):
        if vars(resource).get("pulumi_type") == type_:
            return sdk_types.resource_types(resource)
    return {}


def _subclasses(resource: type) -> Iterator[type]:
    for subclass in resource.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
