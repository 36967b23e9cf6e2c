"""docs/features.md: no row without a resource, a setting and a test that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from infra.mistakes import section_of
from infra.settings import Settings
from tests.infra.plans import NAMES, recording_of
from tests.infra.test_whole_program import INVARIANTS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "features.md"
ROWS = re.findall(
    r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
    PAGE.read_text(encoding="utf-8"),
    re.MULTILINE,
)
NOTHING = "–"


@cache
def declared_types() -> frozenset[str]:
    """Every type that some stack or matrix file declares, without its provider's name."""
    return frozenset(
        re.sub(r"^(azure-native|kubernetes):", "", resource.type)
        for name in NAMES
        for resource in recording_of(name).resources
    )


def names_of(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_has_the_fields_47_rows() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 48))


def test_a_refused_feature_says_why() -> None:
    refused = [row for row in ROWS if row[2].startswith("refused")]
    assert all(len(row[2]) > len("refused: because") for row in refused)
    assert len(refused) < 5


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])


@every_row
def test_what_declares_it_is_declared_by_some_stack(row: tuple[str, ...]) -> None:
    assert set(names_of(row[2])) <= declared_types()
    assert names_of(row[2]) or row[2].startswith((NOTHING, "refused"))


@every_row
def test_its_settings_exist(row: tuple[str, ...]) -> None:
    for key in names_of(row[3]):
        if "/" in key:
            assert (HERE.parents[1] / key).is_dir(), key
        else:
            require_setting(key)


@every_row
def test_its_test_exists(row: tuple[str, ...]) -> None:
    if row[2].startswith("refused"):
        return
    (test,) = names_of(row[4])
    path, *names = test.split("::")
    found: list[ast.stmt] = ast.parse((HERE / path).read_text(encoding="utf-8")).body
    for name in names:
        named = (node for node in found if getattr(node, "name", "") == name)
        node = next(named, None)
        assert isinstance(node, ast.FunctionDef | ast.ClassDef), test
        found = node.body
    assert names[-1].startswith("test_") or names[-1] in invariants(), "pytest runs it"


def invariants() -> set[str]:
    """Those that every stack is held to."""
    return {invariant.__name__ for invariant in INVARIANTS}


def require_setting(key: str) -> None:
    model: type[BaseModel] | None = Settings
    for part in key.split("."):
        assert model is not None, key
        assert part in model.model_fields, key
        model = section_of(model.model_fields[part].annotation)


def test_every_row_of_the_second_table_names_rows_of_the_first() -> None:
    second = PAGE.read_text(encoding="utf-8").split("sentence by sentence")[1]
    cells = re.findall(r"^\| [^|]+ \| ([\d, ]+) \|$", second, re.MULTILINE)
    assert len(cells) >= 10
    assert all(1 <= int(number) <= 47 for cell in cells for number in cell.split(","))
