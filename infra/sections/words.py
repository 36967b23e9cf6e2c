"""What a setting allows, in words: for whoever made a mistake, and for the documentation."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AfterValidator, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from infra.sections.forms import Form


def words_of(field: FieldInfo) -> str:
    """What a field allows."""
    return _words(field.annotation, field.metadata)


def element_words_of(field: FieldInfo) -> str:
    """What one element of a list, or one value of a map, allows."""
    return _words(*_inner(field.annotation))


def section_of(annotation: object) -> type[BaseModel] | None:
    """The section inside an annotation such as ``GpuPoolSettings | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        if (found := section_of(inner)) is not None:
            return found
    return None


def is_list(annotation: object) -> bool:
    """Whether an annotation is that of a list."""
    return typing.get_origin(annotation) is tuple


def is_optional(annotation: object) -> bool:
    """Whether null is allowed."""
    return types.NoneType in typing.get_args(annotation)


def is_secret(annotation: object) -> bool:
    """Whether a setting is itself a secret."""
    return annotation is SecretStr or any(
        is_secret(inner) for inner in typing.get_args(annotation) if inner is not Ellipsis
    )


def may_hold_secret(annotation: object) -> bool:
    """Whether a setting is a secret or has one somewhere inside."""
    if annotation is SecretStr:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(
            not field.repr or may_hold_secret(field.annotation)
            for field in annotation.model_fields.values()
        )
    return any(may_hold_secret(inner) for inner in typing.get_args(annotation))


def _words(annotation: Any, metadata: Sequence[object]) -> str:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _words(annotation.__origin__, [*annotation.__metadata__, *metadata])
    if origin in (typing.Union, types.UnionType):
        inner = [each for each in typing.get_args(annotation) if each is not types.NoneType]
        return _words(inner[0], metadata)
    if origin is Literal:
        return _alternatives([str(value) for value in typing.get_args(annotation)])
    if origin is tuple:
        return f"a list{_length(metadata)}, each {_words(*_inner(annotation))}"
    if origin is dict:
        return f"a map of names to values, each {_words(*_inner(annotation))}"
    section = section_of(annotation)
    if section is not None:
        return f"a group of keys: {', '.join(section.model_fields)}"
    return _scalar(annotation, metadata)


def _scalar(annotation: Any, metadata: Sequence[object]) -> str:
    if annotation is bool:
        return "true or false"
    if annotation is int:
        return f"a whole number{_range(metadata)}"
    if annotation is float:
        return f"a number{_range(metadata)}"
    if annotation is SecretStr:
        return "a secret text"
    if isinstance(annotation, type) and issubclass(annotation, datetime):
        return "a time with its offset such as 2027-01-31T00:00:00Z"
    for each in metadata:
        if isinstance(each, AfterValidator) and isinstance(each.func, Form):
            return each.func.words
    lengths = [each for each in metadata if isinstance(each, MinLen | MaxLen)]
    return f"a text{_characters(lengths)}"


def _inner(annotation: Any) -> tuple[Any, Sequence[object]]:
    """The type of a list's elements or a map's values."""
    arguments = [each for each in typing.get_args(annotation) if each is not types.NoneType]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _inner(arguments[0])
    return (arguments[0] if is_list(annotation) else arguments[-1]), ()


def _alternatives(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def _range(metadata: Sequence[object]) -> str:
    least = next((each for each in metadata if isinstance(each, Ge | Gt)), None)
    most = next((each for each in metadata if isinstance(each, Le | Lt)), None)
    words = ""
    if isinstance(least, Ge):
        words += f" from {least.ge}" if most else f" of at least {least.ge}"
    elif least is not None:
        words += f" over {least.gt}"
    if isinstance(most, Le):
        words += f" to {most.le}" if isinstance(least, Ge) else f", at most {most.le}"
    return words


def _length(metadata: Sequence[object]) -> str:
    least = next((each.min_length for each in metadata if isinstance(each, MinLen)), None)
    most = next((each.max_length for each in metadata if isinstance(each, MaxLen)), None)
    if least is not None and most is not None:
        return f" of {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return "" if most is None else f" of at most {most}"


def _characters(lengths: Sequence[object]) -> str:
    words = _length(lengths)
    return f"{words} characters" if words else ""
