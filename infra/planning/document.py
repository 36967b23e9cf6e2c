"""The plan as JSON: each resource as the engine would see it."""

from __future__ import annotations

from typing import Any

from infra.planning.monitor import Options, Recorded
from infra.planning.wire import without_secrets


def document(resources: tuple[Recorded, ...]) -> list[dict[str, Any]]:
    """One object a resource, in the order of their URNs."""
    return [
        {
            "type": resource.type,
            "name": resource.name,
            "urn": resource.urn,
            "parent": resource.parent or None,
            "inputs": without_secrets(dict(resource.inputs)),
            "options": options_document(resource.options),
        }
        for resource in resources
    ]


def options_document(options: Options) -> dict[str, Any]:
    """The options that differ from the engine's defaults, named as in Pulumi's YAML."""
    named: dict[str, Any] = {
        "protect": options.protect,
        "ignoreChanges": list(options.ignore_changes),
        "dependsOn": list(options.depends_on),
        "propertyDependencies": {
            key: list(urns) for key, urns in options.property_dependencies.items()
        },
        "provider": options.provider,
        "version": options.version,
        "deleteBeforeReplace": options.delete_before_replace,
        "retainOnDelete": options.retain_on_delete,
        "replaceOnChanges": list(options.replace_on_changes),
        "additionalSecretOutputs": list(options.additional_secret_outputs),
        "aliases": list(options.aliases),
        "deletedWith": options.deleted_with,
        "customTimeouts": dict(options.custom_timeouts),
    }
    return {key: value for key, value in named.items() if value}
