"""Settings, outputs and Kubernetes objects that the pages name are those that the stacks have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import yaml
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from infra.sections.words import is_secret, section_of
from infra.settings import PROJECT, Settings
from tests.docs.commands import Command, commands, inline_code
from tests.docs.pages import PAGES
from tests.infra.plans import recording_of

DOTTED = re.compile(r"([a-z_]+(?:\[\d*\])?(?:\.[a-z_]+\d*[a-z_]*(?:\[\d*\])?)+)(?:: (.+))?")
FILES = ("json", "py", "txt", "yaml", "keras", "csv", "jsonl", "onnx", "xml", "npy", "key", "png")
STACKS = ("everything-on", "dev")
OF_AKS = ("kube-system",)
"""Namespaces that every cluster has."""


def fields(section: type, path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting, groups among them, by its path, without the places in lists."""
    for name, field in section.model_fields.items():  # type: ignore[attr-defined]
        own = f"{path}.{name}" if path else name
        yield own, field
        if (inner := section_of(field.annotation)) is not None:
            yield from fields(inner, own)


SETTINGS = dict(fields(Settings))
FIRST = {path.partition(".")[0] for path in SETTINGS}
WORDS = {word for path in SETTINGS for word in path.split(".")}


def without_places(key: str) -> str:
    return re.sub(r"\[\d*\]", "", key)


def named_settings() -> list[tuple[str, str, str | None]]:
    """Where, which setting, and the value beside it, if any."""
    return [
        (where, without_places(found[1]), found[2])
        for page in PAGES
        for where, code in inline_code(page)
        if (found := DOTTED.fullmatch(code))
        and found[1].split(".")[0] in WORDS
        and found[1].split(".")[-1] not in FILES
    ]


@pytest.mark.parametrize(("where", "key", "value"), named_settings())
def test_a_setting_in_the_text_is_one_and_takes_the_value(
    where: str, key: str, value: str | None
) -> None:
    """A key may be written without the groups that all of its readers know: scaling.max_replicas."""
    found = [path for path in SETTINGS if path == key or path.endswith(f".{key}")]
    assert found
    if value is not None:
        (field,) = (SETTINGS[path] for path in found)
        adapter(field).validate_python(yaml.safe_load(value))


def adapter(field: FieldInfo) -> TypeAdapter[Any]:
    """Of the values that a setting takes, with their limits."""
    kind: Any = field.annotation
    limited: Any = Annotated[kind, *field.metadata] if field.metadata else kind
    return TypeAdapter(limited)


@pytest.mark.parametrize(
    "command",
    [each for each in commands("pulumi") if each.starts_with("pulumi", "config")],
    ids=str,
)
def test_pulumi_sets_what_is_a_setting_and_encrypts_what_is_secret(command: Command) -> None:
    words = [word for word in command.words[3:] if not word.startswith("--")]
    if not words:  # `pulumi config set --secret`, of whatever the sentence is about
        return
    key = without_places(words[0].removeprefix(f"{PROJECT}:"))
    assert key in SETTINGS
    assert ("." not in key and "[" not in words[0]) or "--path" in command.words
    if command.words[2] == "set":
        assert ("--secret" in command.words) == is_secret(SETTINGS[key].annotation)
    if len(words) > 1 and words[1].islower():
        # In a list's place stands one of its elements.
        given = [words[1]] if words[0].endswith("]") else yaml.safe_load(words[1])
        adapter(SETTINGS[key]).validate_python(given)


@pytest.fixture(scope="module")
def outputs() -> set[str]:
    return {name for stack in STACKS for name in recording_of(stack).outputs}


@pytest.mark.parametrize(
    "command",
    [each for each in commands("pulumi") if each.starts_with("pulumi", "stack", "output")],
    ids=str,
)
def test_a_stack_has_the_output(command: Command, outputs: set[str]) -> None:
    assert command.words[3] in outputs


Object = dict[str, Any]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    """What the stacks declare in the cluster, Helm's releases among them."""
    return [
        dict(resource.inputs)
        for stack in STACKS
        for resource in recording_of(stack).resources
        if resource.type.startswith("kubernetes:")
    ]


def namespace_of(command: Command) -> str | None:
    words = iter(command.words)
    return next((next(words) for word in words if word == "-n"), None)


def of_kubectl() -> list[Command]:
    found = {each.words: each for each in commands("kubectl") if len(each.words) > 2}
    return list(found.values())


@pytest.mark.parametrize("command", of_kubectl(), ids=str)
def test_kubectl_asks_for_what_the_stacks_declare(command: Command, objects: list[Object]) -> None:
    namespace = namespace_of(command)
    if namespace is None or namespace in (*OF_AKS, "NAMESPACE"):
        return
    declared = {each["metadata"]["name"] for each in objects if each.get("kind") == "Namespace"}
    released = {each["namespace"] for each in objects if "chart" in each}
    assert namespace in declared | released
    deployments = {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in objects
        if each.get("kind") == "Deployment" and each["metadata"]["namespace"] == namespace
    }
    for word in command.words:
        if word.startswith("deployment/") and namespace not in released:
            pod = deployments[word.partition("/")[2]]
            if "port-forward" in command.words:
                (container,) = pod["spec"]["containers"]
                ports = {str(port["containerPort"]) for port in container["ports"]}
                assert command.words[-1] in ports
        if (label := re.fullmatch(r"(app\.kubernetes\.io/name)=(\w+)", word)) is not None:
            labels = [each["metadata"]["labels"] for each in deployments.values()]
            assert any(each.get(label[1]) == label[2] for each in labels)
