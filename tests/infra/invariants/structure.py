"""What holds for every resource: who makes it, whose child it is, what it gives away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.planning.document import document
from infra.planning.wire import Secret
from infra.recording import Recording
from tests.infra.invariants.looking import at

NO_PROVIDER = ("pulumi:providers:", "pulumi:pulumi:StackReference")
SECRET_NAMES = {
    "accountKey",
    "authPassword",
    "clientSecret",
    "connectionString",
    "kubeconfig",
    "password",
    "primaryKey",
    "sharedKey",
}


def every_resource_has_an_explicit_provider(recording: Recording) -> Iterator[str]:
    for resource in recording.resources:
        if resource.custom and not resource.type.startswith(NO_PROVIDER):
            if not resource.options.provider:
                yield f"{resource.urn} would be made by the default provider"
            elif resource.type.split(":")[0] not in resource.options.provider:
                yield f"{resource.urn} would be made by {resource.options.provider}"


def every_child_is_named_from_its_component(recording: Recording) -> Iterator[str]:
    components = {r.urn: r for r in recording.resources if not r.custom}
    for resource in recording.resources:
        parent = components.get(resource.parent)
        if parent and not resource.name.startswith(parent.name):
            yield f"{resource.urn} is not named from {parent.name}"


def only_layers_and_providers_stand_below_the_stack(recording: Recording) -> Iterator[str]:
    allowed = (
        "pulumi:",
        "realtime-scoring:",
        "azure-native:resources:ResourceGroup",
        "docker:index/network:Network",
    )
    for resource in recording.resources:
        if not resource.parent and not resource.type.startswith(allowed):
            yield f"{resource.urn} belongs to no component"


def every_component_registers_outputs(recording: Recording) -> Iterator[str]:
    for resource in recording.resources:
        if not resource.custom and not resource.outputs:
            yield f"{resource.urn} registered no output"


def every_reference_is_to_a_resource_of_the_stack(recording: Recording) -> Iterator[str]:
    urns = {resource.urn for resource in recording.resources}
    for resource in recording.resources:
        named = {resource.parent, resource.options.provider, *resource.options.depends_on} - {""}
        for urn in sorted(named - urns):
            yield f"{resource.urn} refers to {urn}, which is not there"


def every_ignored_change_is_a_property_in_camel_case(recording: Recording) -> Iterator[str]:
    for resource in recording.resources:
        for path in resource.options.ignore_changes:
            if "_" in path:
                yield f"{resource.urn} ignores {path}, which the engine would not find"


def no_secret_stands_in_plain(recording: Recording) -> Iterator[str]:
    secrets: set[str] = set()
    for resource in recording.resources:
        secrets |= set(_secret_texts(dict(resource.inputs)))
    shown = json.dumps(document(recording.resources)) + json.dumps(recording.outputs, default=str)
    for secret in sorted(secrets):
        if json.dumps(secret)[1:-1] in shown:
            yield f"a secret of {len(secret)} characters also stands in plain: {secret[:4]}…"


def nothing_named_like_a_secret_is_in_plain(recording: Recording) -> Iterator[str]:
    for resource in recording.resources:
        for path, value in _leaves("", dict(resource.inputs)):
            name = re.sub(r"\[\d+\]", "", path).rsplit(".", 1)[-1]
            if name in SECRET_NAMES and isinstance(value, str):
                yield f"{resource.urn}: {path} is no secret"
        value = at(resource.inputs, "properties.value")
        if resource.type == "azure-native:keyvault:Secret" and not isinstance(value, Secret):
            yield f"{resource.urn}: its value is no secret"
        if resource.type == "kubernetes:core/v1:Secret":
            for field in ("data", "stringData"):
                if not isinstance(resource.inputs.get(field, Secret(None)), Secret):
                    yield f"{resource.urn}: {field} is no secret"


def _secret_texts(value: Any, inside: bool = False) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _secret_texts(value.value, inside=True)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secret_texts(inner, inside)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_texts(inner, inside)
    # Shorter ones, and what only a run knows, stand in other places by right.
    elif inside and isinstance(value, str) and len(value) >= 12 and "<output of" not in value:
        yield value


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}[{place}]", inner)
    else:
        yield path, value


INVARIANTS = (
    every_resource_has_an_explicit_provider,
    every_child_is_named_from_its_component,
    only_layers_and_providers_stand_below_the_stack,
    every_component_registers_outputs,
    every_reference_is_to_a_resource_of_the_stack,
    every_ignored_change_is_a_property_in_camel_case,
    no_secret_stands_in_plain,
    nothing_named_like_a_secret_is_in_plain,
)
