"""The table of docs/features.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from infra.recording import Recorded

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One feature.

    Attributes:
        number: as the field's list numbers it.
        feature: what it is.
        declared_by: the second column as it stands.
        types: the types of resources in it.
        settings: keys, or folders, that govern it.
        tests: node ids below tests/infra.
    """

    number: int
    feature: str
    declared_by: str
    types: tuple[str, ...]
    settings: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def is_refused(self) -> bool:
        return self.declared_by.startswith("refused")

    def __str__(self) -> str:
        return f"{self.number}"


def is_of(resource: Recorded, type_: str) -> bool:
    """Whether a resource is of a type as the table writes it: Azure's and Kubernetes' without it."""
    provider, _, name = resource.type.partition(":")
    return type_ == (name if provider in ("azure-native", "kubernetes") else resource.type)


def _names_in(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def rows() -> list[Row]:
    return [
        Row(
            int(number), feature, declared_by,
            () if declared_by.startswith("refused") else _names_in(declared_by),
            _names_in(settings), _names_in(tests),
        )
        for number, feature, declared_by, settings, tests in ROW.findall(
            PAGE.read_text(encoding="utf-8")
        )
    ]  # fmt: skip
