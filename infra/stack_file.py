"""Reads a stack file without Pulumi: for the offline plan and the tests.

The file is read as the engine reads it, which follows YAML 1.2: ``off`` and ``no`` are texts, so
are times and dates. What only the engine can know, an encrypted value, becomes a placeholder.
Source: www.pulumi.com/docs/iac/concepts/config.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import SecretStr
from yaml.composer import ComposerError

from infra.mistakes import Mistake, SettingsRefused, key_of, nearest
from infra.settings import PROJECT, Settings, read_settings

LARGEST_FILE_BYTES = 1_000_000
PLACEHOLDER = "encrypted in the stack file"
ENGINE_KEYS = ("config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment")
"""What a stack file may hold; all but config is the engine's own."""


def read_stack_file(path: Path) -> Settings:
    """The settings of a stack file.

    Raises:
        SettingsRefused: with one mistake a line, whatever is wrong with the file.
    """
    document, mistakes = _document(path)
    values, further = values_of_project(_config(document, path, mistakes))
    mistakes += further
    try:
        settings = read_settings(
            {key: _with_placeholders(value) for key, value in values.items()}, encrypted_only=True
        )
    except SettingsRefused as refused:
        raise SettingsRefused([*mistakes, *refused.mistakes]) from None
    if mistakes:
        raise SettingsRefused(mistakes)
    return settings


def values_of_project(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The values of this project's keys, and a mistake for each key of nobody's."""
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for key, value in config.items():
        namespace, colon, name = str(key).partition(":")
        if colon and namespace == PROJECT:
            values[name] = value
        elif not colon:
            near = nearest(namespace, list(Settings.model_fields)) or "key"
            mistakes.append(Mistake(namespace, "has no namespace", f"{PROJECT}:{near}", (near,)))
        elif namespace != "pulumi":
            mistakes.append(
                Mistake(
                    str(key), f"is of the namespace {namespace}, which the stack does not read",
                    f"keys of {PROJECT}: and pulumi:",
                )
            )  # fmt: skip
    return values, mistakes


class _Duplicates:
    """Collects keys that stand twice in one group."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def look(self, node: yaml.Node, path: tuple[str | int, ...] = ()) -> None:
        """Look through a node and all that is inside it."""
        if isinstance(node, yaml.SequenceNode):
            for place, inner in enumerate(cast("list[yaml.Node]", node.value)):
                self.look(inner, (*path, place))
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name in seen:
                self.mistakes.append(
                    Mistake(_plain_key((*path, name)), "stands here twice", "once")
                )
            seen.add(name)
            self.look(value, (*path, name))


class _Loader(yaml.SafeLoader):
    """YAML's core schema, as the engine has it, and no aliases, which can grow without end."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = cast(Any, self.peek_event())  # pyright: ignore[reportUnknownMemberType]
            raise ComposerError(
                None, None, "aliases are not taken, write the value out", event.start_mark
            )
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    # A number that no setting could take stays a text, which is refused in its own words.
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})", list("-+0123456789.")),
):
    _Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _document(path: Path) -> tuple[Any, list[Mistake]]:
    """What the file holds, and a mistake for each key that stands twice."""
    duplicates = _Duplicates()
    loader = None
    try:
        loader = _Loader(_text(path))
        node = loader.get_single_node()
        if node is None:
            return None, []
        duplicates.look(node)
        content: Any = loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType]
        return content, duplicates.mistakes
    except RecursionError:
        raise _refused(path, "is nested too deeply", "a few levels") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise _refused(path, f"is no YAML: {_problem(error)}", "a Pulumi stack file") from None
    finally:
        if loader is not None:
            loader.dispose()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}", "a readable file") from None
    if len(content) > LARGEST_FILE_BYTES:
        raise _refused(path, "is too large", f"at most {LARGEST_FILE_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _refused(path, "is not text in UTF-8", "a Pulumi stack file") from None


def _config(document: Any, path: Path, mistakes: list[Mistake]) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise _refused(path, "holds no keys", f"config: and below it {PROJECT}:… keys")
    top = cast("dict[Any, Any]", document)
    for key in top:
        if key not in ENGINE_KEYS:
            near = nearest(str(key), ENGINE_KEYS)
            allowed = f"did you mean {near}?" if near else ", ".join(ENGINE_KEYS)
            mistakes.append(Mistake(str(key), "is no key of a stack file", allowed))
    config = top.get("config")
    if not isinstance(config, dict):
        wrong = "is no group of keys" if "config" in top else "is missing"
        mistakes.append(Mistake("config", wrong, f"a group of {PROJECT}:… keys"))
        raise SettingsRefused(mistakes)
    return {str(key): value for key, value in cast("dict[Any, Any]", config).items()}


def _with_placeholders(value: Any) -> Any:
    """The value, with what is encrypted replaced, and keys that are numbers as texts."""
    if isinstance(value, dict):
        group = cast("dict[Any, Any]", value)
        if set(group) == {"secure"} and isinstance(group["secure"], str):
            return SecretStr(PLACEHOLDER)
        return {str(key): _with_placeholders(inner) for key, inner in group.items()}
    if isinstance(value, list):
        return [_with_placeholders(inner) for inner in cast("list[Any]", value)]
    return value


def _plain_key(path: tuple[str | int, ...]) -> str:
    """A key's path without ``config`` and the project's name, as everywhere else."""
    key = key_of(path)
    return key.removeprefix("config.").removeprefix(f"{PROJECT}:")


def _refused(path: Path, wrong: str, allowed: str) -> SettingsRefused:
    return SettingsRefused([Mistake(path.name, wrong, allowed)])


def _problem(error: Exception) -> str:
    """Where and why; never the line itself, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        place = f"line {mark.line + 1}, " if mark is not None else ""
        return place + re.sub(r"[`\"'].*", "", error.problem or "unreadable").strip()
    return "unreadable"
