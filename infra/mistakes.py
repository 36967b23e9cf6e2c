"""Mistakes in a stack file, each in one line: the key, what is wrong, what is allowed."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra.sections.forms import WRONG
from infra.sections.words import (
    element_words_of,
    is_list,
    may_hold_secret,
    section_of,
    words_of,
)

LONGEST_VALUE = 60
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        key: the key as the user wrote it, such as ``cluster.gpu_pool.vm_size``.
        wrong: what is wrong with it.
        allowed: what would be right.
        because_of: other keys that have a part in it.
    """

    key: str
    wrong: str
    allowed: str
    because_of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return one_line(f"{self.key}: {self.wrong}; allowed: {self.allowed}")

    def touches(self, keys: set[str]) -> bool:
        """Whether it has to do with one of the keys, or with a part or a whole of one."""
        return any(
            own == key
            or own.startswith((f"{key}.", f"{key}["))
            or key.startswith((f"{own}.", f"{own}["))
            for own in (self.key, *self.because_of)
            for key in keys
        )


class SettingsRefused(Exception):
    """Settings that cannot be used; the message has one line for each mistake."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """pydantic's findings in the words of a stack file; no secret value is repeated."""
    found = [(each["type"], _mistake(each, model)) for each in error.errors(include_url=False)]
    misspelt = {meant for _, mistake in found for meant in mistake.because_of}
    inside = [mistake.key for _, mistake in found if mistake.key.endswith("]")]
    return [
        mistake
        for kind, mistake in found
        # What is misspelt is not missing too, and a list whose elements are wrong not too short.
        if not (kind == "missing" and mistake.key in misspelt)
        and not (kind == "too_short" and any(key.startswith(f"{mistake.key}[") for key in inside))
    ]


def without(values: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """The values less the wrong ones, so that what is left can be checked further."""
    left = copy.deepcopy(dict(values))
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        location = tuple(found["loc"])
        # A group without a key that it needs goes as a whole.
        _remove(left, _shortened(location[:-1] if found["type"] == "missing" else location))
    return left


def key_of(path: Path) -> str:
    """A path as Pulumi's ``--path`` writes it: ``api_keys[0].sha256``."""
    key = ""
    for part in path:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return one_line(key)


def one_line(text: str) -> str:
    """A text without line breaks and without what a terminal would not show."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that somebody may have meant."""
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None


def _mistake(found: ErrorDetails, model: type[BaseModel]) -> Mistake:
    path: Path = tuple(found["loc"])
    if path[-1:] == ("[key]",):
        path = path[:-1]
    key, kind, value = key_of(path), found["type"], cast(object, found["input"])
    if kind == "extra_forbidden":
        return _unknown(path, model)
    field = _field_at(path, model)
    if kind == "missing":
        described = field.description if field is not None else None
        return Mistake(key, "is missing", described or "a value")
    if isinstance(value, SecretStr):
        return Mistake(key, "is encrypted, and is no secret", f"{_allowed(path, field)}, in plain")
    shown = _shown(value, field)
    if kind == WRONG:
        context = found.get("ctx", {})
        return Mistake(key, f"{shown} {context['what']}", str(context["allowed"]))
    return Mistake(key, f"{shown} is wrong", _allowed(path, field))


def _unknown(path: Path, model: type[BaseModel]) -> Mistake:
    known = sorted(_fields_at(path[:-1], model))
    near = nearest(str(path[-1]), known)
    if near is None:
        return Mistake(key_of(path), "is no setting", ", ".join(known))
    meant = key_of((*path[:-1], near))
    return Mistake(key_of(path), "is no setting", f"did you mean {near}?", (meant,))


def _allowed(path: Path, field: FieldInfo | None) -> str:
    if field is None:
        return "another value"
    inside_section = section_of(field.annotation) is not None
    if path and not inside_section and (isinstance(path[-1], int) or _is_map(field, path)):
        return element_words_of(field)
    if path and inside_section and isinstance(path[-1], int) and is_list(field.annotation):
        return element_words_of(field)
    return words_of(field)


def _is_map(field: FieldInfo, path: Path) -> bool:
    return str(field.annotation).startswith("dict") and len(path) > 1


def _shown(value: object, field: FieldInfo | None) -> str:
    if isinstance(value, Mapping):
        return "a group of keys"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing (null)"
    if field is None or not field.repr or may_hold_secret(field.annotation):
        return "the value (not shown)"
    text = one_line(f'"{value}"' if isinstance(value, str) else _plain(value))
    return text if len(text) <= LONGEST_VALUE else f'{text[: LONGEST_VALUE - 2]}…"'


def _plain(value: object) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields_at(path: Path, model: type[BaseModel]) -> Sequence[str]:
    if not path:
        return list(model.model_fields)
    field = _field_at(path, model)
    inner = section_of(field.annotation) if field else None
    return list(inner.model_fields) if inner else []


def _field_at(path: Path, model: type[BaseModel]) -> FieldInfo | None:
    current: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):
            continue
        if current is None or part not in current.model_fields:
            return field
        field = current.model_fields[part]
        current = section_of(field.annotation)
    return field


def _shortened(path: Path) -> Path:
    """An element of a list takes the whole list with it: positions would shift."""
    for place, part in enumerate(path):
        if isinstance(part, int):
            return path[:place]
    return path[:-1] if path[-1:] == ("[key]",) else path


def _remove(values: dict[str, Any], path: Path) -> None:
    current: Any = values
    for part in path[:-1]:
        if not isinstance(current, dict) or part not in current:
            return
        current = cast("dict[str, Any]", current)[str(part)]
    if isinstance(current, dict) and path:
        cast("dict[str, Any]", current).pop(str(path[-1]), None)
