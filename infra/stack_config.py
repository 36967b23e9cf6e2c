"""Reads the settings of the stack that `pulumi up` is at work on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi.runtime.config as engine_config
from pydantic import BaseModel, SecretStr

from infra.mistakes import SettingsRefused
from infra.sections.words import is_secret, section_of
from infra.settings import PROJECT, Settings, read_settings
from infra.stack_file import values_of_project


def read_stack_config() -> Settings:
    """The settings of the running stack.

    All keys are read, not only those that are known, so that a misspelt one is found.

    Raises:
        pulumi.RunError: with one mistake a line; Pulumi prints it without a traceback.
    """
    given = {**engine_config.get_config_env(), **engine_config.CONFIG.get()}
    values, mistakes = values_of_project(given)
    values = {key: _decoded(key, value) for key, value in values.items()}
    try:
        settings = read_settings(values, encrypted_only=True)
    except SettingsRefused as refused:
        mistakes += refused.mistakes
    else:
        if not mistakes:
            return settings
    # The empty line keeps Pulumi's own prefix off the first mistake.
    raise pulumi.RunError("\n" + str(SettingsRefused(mistakes)))


def _decoded(key: str, value: Any) -> Any:
    """A value as the stack file has it: groups and lists reach the program as JSON."""
    field = Settings.model_fields.get(key)
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            return value
    full = f"{PROJECT}:{key}"
    secret = (
        engine_config.is_config_secret(full) or full in engine_config.get_config_secret_keys_env()
    )
    section = section_of(field.annotation) if field is not None else None
    return _wrapped(value, section) if secret and section is not None else value


def _wrapped(value: Any, section: type[BaseModel]) -> Any:
    """The values of secret settings as secrets.

    The engine tells only which top-level keys have an encrypted value inside.
    """
    if isinstance(value, list):
        return [_wrapped(inner, section) for inner in cast("list[Any]", value)]
    if not isinstance(value, Mapping):
        return value
    group = dict(cast("Mapping[str, Any]", value))
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if is_secret(field.annotation) and isinstance(group.get(name), str):
            group[name] = SecretStr(group[name])
        elif inner is not None and name in group:
            group[name] = _wrapped(group[name], inner)
    return group
