"""The recorded resources in Azure as a template of Azure Resource Manager, for scanners that read it.

Azure-native lifts the members of `properties` one level up, and names some of them its own way. The
type definitions of Azure Resource Manager say what belongs where.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.planning.stacks import ROOT
from infra.planning.wire import without_secrets
from infra.recording import Recorded

DEFINITIONS = Path(os.environ.get("SCORING_SHARED", ROOT.parent / "shared")) / "arm"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
READ_ONLY = 2
LIFTED = ("properties", "pool")
RENAMED = {
    "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
    "expires": "exp",
    "iPAddressOrRange": "value",
    "networkRuleSet": "networkAcls",
    "roleType": "type",
}
"""Azure-native's names, where they are other words than those of Azure Resource Manager."""
GROUPS = {"resourceGroupName", "scope", "scopeId", "resourceUri"}
LEFT_OUT = {
    "azure-native:monitor:ActivityLogAlert",
    "azure-native:network:VirtualNetworkPeering",
    "azure-native:resources:Deployment",
    "azure-native:resources:DeploymentAtSubscriptionScope",
    "azure-native:storage:BlobServiceProperties",
    "azure-native:storage:ManagementPolicy",
}
"""Resources without a definition, and deployments; none of checkov's checks looks at them."""


class NotInTheDefinition(Exception):
    """An input that the resource's definition does not know, or a resource without definition."""


@dataclass(frozen=True)
class Definition:
    """Where the members of one resource's request belong."""

    types: Mapping[str, Any]

    def value(self, value: Any, type_: Mapping[str, Any], path: str) -> Any:
        """A value of a type, in the request's form."""
        if type_["$type"] == "ArrayType" and isinstance(value, list):
            item = self._type(type_["itemType"])
            return [self.value(inner, item, f"{path}[]") for inner in value]
        if isinstance(value, list):
            return {key: {} for key in value}  # such as identities: a map whose values Azure writes
        if not isinstance(value, Mapping):
            return value
        members = self._members(type_, value)
        if not members:
            return dict(value)
        return self.object(value, members, path)

    def object(self, value: Mapping[str, Any], members: Mapping[str, Any], path: str) -> Any:
        """An object, with the members that azure-native lifted back in their place."""
        result: dict[str, Any] = {}
        for key, inner in value.items():
            if inner is None:
                continue
            outer, name, type_ = self._place(key, members, path)
            target = result.setdefault(outer, {}) if outer else result
            target[name] = self.value(inner, type_, f"{path}.{key}")
        return result

    def has(self, key: str, members: Mapping[str, Any]) -> bool:
        """Whether an input belongs into the request, rather than into its address."""
        try:
            self._place(key, members, "")
        except NotInTheDefinition:
            return False
        return True

    def _place(
        self, key: str, members: Mapping[str, Any], path: str
    ) -> tuple[str, str, Mapping[str, Any]]:
        levels = [("", members)]
        for lifted in LIFTED:
            if lifted in members and key not in LIFTED:
                levels.append((lifted, self._members(self._type(members[lifted]["type"]), {})))
        for outer, level in levels:
            for name, member in level.items():
                if _is(key, name) and not member["flags"] & READ_ONLY:
                    return outer, name, self._type(member["type"])
        if key == "id":  # how a request refers to another resource's part
            return "", key, {"$type": "StringType"}
        raise NotInTheDefinition(f"{path}.{key}")

    def _members(self, type_: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
        if type_["$type"] == "DiscriminatedObjectType":
            kind = next((v for k, v in value.items() if _is(k, type_["discriminator"])), None)
            chosen = self._type(type_["elements"][kind])["properties"] if kind else {}
            return {**type_["baseProperties"], **chosen}
        return dict(type_.get("properties", {}))

    def _type(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.types[str(reference["$ref"])]


def template(resources: Iterable[Recorded]) -> dict[str, Any]:
    """A template with every resource of azure-native.

    Raises:
        NotInTheDefinition: when a resource or a property has no place in it.
    """
    found = [
        resource
        for resource in resources
        if resource.type.startswith("azure-native:") and resource.type not in LEFT_OUT
    ]
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "resources": [_resource(resource) for resource in found],
    }


def _resource(resource: Recorded) -> dict[str, Any]:
    entry = _index().get(resource.type)
    if entry is None:
        raise NotInTheDefinition(resource.type)
    definition = Definition(_types(entry["file"]))
    members = dict(definition.types[str(entry["body"])]["properties"])
    for own in ("id", "name", "type", "apiVersion"):
        members.pop(own, None)
    inputs: Any = without_secrets(dict(resource.inputs))
    # Text at the top that is no member: the resource's own name, its group, its parents' names.
    address = {
        key: value
        for key, value in inputs.items()
        if isinstance(value, str) and not definition.has(key, members)
    }
    body = {key: value for key, value in inputs.items() if key not in address}
    type_, version = entry["type"].split("@")
    return {
        "type": type_,
        "apiVersion": version,
        "name": _own_name(address) or resource.name,
        **definition.object(body, members, resource.urn),
    }


def _own_name(address: Mapping[str, str]) -> str | None:
    """A resource's name in Azure, where no parent's name stands beside it."""
    names = [value for key, value in address.items() if key not in GROUPS]
    return names[0] if len(names) == 1 else None


@functools.cache
def _index() -> dict[str, Any]:
    return json.loads((DEFINITIONS / "index.json").read_text(encoding="utf-8"))


@functools.cache
def _types(file: str) -> dict[str, Any]:
    return json.loads((DEFINITIONS / file).read_text(encoding="utf-8"))


def _is(key: str, name: str) -> bool:
    """Whether azure-native calls a member so: scan-interval is scanInterval, AAAA is aaaa."""
    squeezed = re.sub(r"[-_.@]", "", name).lower()
    return squeezed in (key.lower(), RENAMED.get(key, "").lower())
