"""The plan's Kubernetes objects as YAML files that kubectl and validators take."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml

from infra.planning.monitor import Recorded
from infra.planning.state import HELM_RELEASE
from infra.planning.wire import Secret, Value, without_secrets

READ_ME = "README.md"
TITLE = "# Kubernetes objects of the stack "
"""First line of the folder's README; a folder without it is not ours to replace."""

FIRST_KINDS = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "Service",
)
"""What others need; every other kind comes after, by name."""


class FolderTaken(Exception):
    """The folder holds something else than an earlier plan's manifests."""


def write_manifests(resources: tuple[Recorded, ...], folder: Path, stack: str) -> int:
    """Write one file an object, all or none; returns how many.

    Raises:
        FolderTaken: when the folder holds other things.
    """
    _check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    objects = kubernetes_objects(resources)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        new.mkdir()
        for place, found in enumerate(objects, start=1):
            path = new / f"{place:03d}-{_file_name(found)}.yaml"
            path.write_text(yaml.safe_dump(found, sort_keys=False, width=100), encoding="utf-8")
        _write_releases(resources, new, stack)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    return len(objects)


def kubernetes_objects(resources: tuple[Recorded, ...]) -> list[dict[str, Value]]:
    """Every object in an order in which it can be applied, without nulls and secrets' values."""
    return sorted((_object(resource) for resource in resources if _is_object(resource)), key=_order)


def helm_releases(resources: tuple[Recorded, ...]) -> list[Recorded]:
    """Charts, which only Helm can turn into objects."""
    return [resource for resource in resources if resource.type == HELM_RELEASE]


def _is_object(resource: Recorded) -> bool:
    return (
        resource.custom
        and resource.type.startswith("kubernetes:")
        and "apiVersion" in resource.inputs
        and "kind" in resource.inputs
    )


def _object(resource: Recorded) -> dict[str, Value]:
    values = dict(resource.inputs)
    if values["kind"] == "Secret":
        _name_secrets(values)
    plain = cast("dict[str, Value]", without_secrets(values))
    first = ("apiVersion", "kind", "metadata")
    ordered = {key: plain[key] for key in (*first, *sorted(set(plain) - set(first)))}
    return cast("dict[str, Value]", _without_nulls(ordered))


def _name_secrets(values: dict[str, Value]) -> None:
    """Name a Secret's keys, all in `stringData`: ``<secret>`` is not the Base64 of `data`."""
    keys: set[str] = set()
    for field in ("data", "stringData"):
        content = values.pop(field, None)
        inner = content.value if isinstance(content, Secret) else content
        keys |= set(inner) if isinstance(inner, dict) else set()
    values["stringData"] = dict.fromkeys(sorted(keys), "<secret>")


def _without_nulls(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value if inner is not None]
    return value


def _order(found: Mapping[str, Value]) -> tuple[int, str, str, str]:
    kind = str(found["kind"])
    rank = FIRST_KINDS.index(kind) if kind in FIRST_KINDS else len(FIRST_KINDS)
    return rank, kind, *_names(found)


def _names(found: Mapping[str, Value]) -> tuple[str, str]:
    metadata = found.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    return str(names.get("namespace", "")), str(names.get("name", ""))


def _file_name(found: Mapping[str, Value]) -> str:
    namespace, name = _names(found)
    return "-".join(part for part in (str(found["kind"]).lower(), namespace, name) if part)


def _check(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderTaken(f"{folder} is not a folder")
    read_me = folder / READ_ME
    ours = read_me.is_file() and read_me.read_text(encoding="utf-8").startswith(TITLE)
    if any(folder.iterdir()) and not ours:
        raise FolderTaken(f"{folder} holds other files; name a new or empty folder")


def _write_releases(resources: tuple[Recorded, ...], folder: Path, stack: str) -> None:
    lines = [
        f"{TITLE}{stack}\n",
        "Written by `python -m infra.plan`, to be read and validated; `pulumi up` applies the same",
        "objects. What only a real run knows stands as `<output of …>`, secrets as `<secret>`.\n",
    ]
    releases = helm_releases(resources)
    if releases:
        lines += ["Beside them, charts; their values lie in `helm/`:\n"]
        (folder / "helm").mkdir()
    for release in releases:
        values = without_secrets(release.inputs.get("values", {}))
        name = str(release.inputs.get("name", release.name))
        (folder / "helm" / f"{name}.values.yaml").write_text(
            yaml.safe_dump(values, width=100), encoding="utf-8"
        )
        lines.append(f"    {shlex.join(_install(release, name))}")
    (folder / READ_ME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _install(release: Recorded, name: str) -> list[str]:
    inputs = release.inputs
    command = ["helm", "upgrade", "--install", name, str(inputs["chart"])]
    repository = inputs.get("repositoryOpts")
    if isinstance(repository, dict) and repository.get("repo"):
        command += ["--repo", str(repository["repo"])]
    for flag, key in (("--version", "version"), ("--namespace", "namespace")):
        if key in inputs:
            command += [flag, str(inputs[key])]
    return [*command, "--values", f"helm/{name}.values.yaml"]
