"""Finding one's way through recorded resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.recording import Recorded, Recording


def at(value: Any, path: str) -> Any:
    """The value at a path such as ``spec.template.spec``; None where there is nothing."""
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def kind(recording: Recording, name: str) -> list[Recorded]:
    """Kubernetes objects of a kind, of any API version."""
    return [
        resource
        for resource in recording.resources
        if resource.type.startswith("kubernetes:") and resource.type.endswith(f":{name}")
    ]


def azure(recording: Recording) -> list[Recorded]:
    return [
        resource for resource in recording.resources if resource.type.startswith("azure-native:")
    ]


def key(resource: Recorded) -> tuple[str, str]:
    """Namespace and name of a Kubernetes object."""
    return at(resource.inputs, "metadata.namespace"), at(resource.inputs, "metadata.name")


@dataclass(frozen=True)
class Workload:
    """A Deployment or DaemonSet, with its pods' labels and specification."""

    resource: Recorded
    labels: Mapping[str, str]
    pod: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        return key(self.resource)[0]

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    def is_chosen_by(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        return namespace == self.namespace and (labels or {}).items() <= self.labels.items()


def workloads(recording: Recording, *kinds: str) -> Iterator[Workload]:
    for name in kinds or ("Deployment", "DaemonSet"):
        for resource in kind(recording, name):
            template = at(resource.inputs, "spec.template")
            yield Workload(resource, at(template, "metadata.labels"), template["spec"])


def millicores(quantity: str | int) -> int:
    text = str(quantity)
    return int(text[:-1]) if text.endswith("m") else int(float(text) * 1000)


def mebibytes(quantity: str) -> int:
    units = {"Mi": 1, "Gi": 1024}
    return int(float(quantity[:-2]) * units[quantity[-2:]])
