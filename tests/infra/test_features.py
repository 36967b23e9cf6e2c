"""docs/features.md: no row without a resource, a setting and a test that looks at the resource."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from infra.mistakes import section_of
from infra.settings import Settings
from tests.infra.feature_table import PAGE, Row, is_of, rows
from tests.infra.plans import NAMES, recording_of
from tests.infra.test_whole_program import INVARIANTS

HERE = Path(__file__).parent
ROWS = rows()
NOTHING = "–"
INVARIANTS_BY_NAME = {invariant.__name__: invariant for invariant in INVARIANTS}

every_row = pytest.mark.parametrize("row", ROWS, ids=str)
declaring_row = pytest.mark.parametrize("row", [row for row in ROWS if row.types], ids=str)


def test_the_table_has_the_fields_47_rows() -> None:
    assert [row.number for row in ROWS] == list(range(1, 48))


def test_a_refused_feature_says_why() -> None:
    refused = [row for row in ROWS if row.is_refused]
    assert all(len(row.declared_by) > len("refused: because") for row in refused)
    assert len(refused) < 5


@every_row
def test_what_declares_it_is_declared_by_some_stack(row: Row) -> None:
    for type_ in row.types:
        assert any(
            is_of(resource, type_) for name in NAMES for resource in recording_of(name).resources
        ), type_
    assert row.types or row.is_refused or row.declared_by == NOTHING


@every_row
def test_its_settings_exist(row: Row) -> None:
    for key in row.settings:
        if "/" in key:
            assert (HERE.parents[1] / key).is_dir(), key
        else:
            require_setting(key)


@every_row
def test_its_tests_exist(row: Row) -> None:
    assert row.tests or row.is_refused
    for test in row.tests:
        path, *names = test.split("::")
        found: list[ast.stmt] = ast.parse((HERE / path).read_text(encoding="utf-8")).body
        for name in names:
            named = (node for node in found if getattr(node, "name", "") == name)
            node = next(named, None)
            assert isinstance(node, ast.FunctionDef | ast.ClassDef), test
            found = node.body
        assert names[-1].startswith("test_") or names[-1] in INVARIANTS_BY_NAME, "pytest runs it"


@pytest.fixture(scope="module")
def missed() -> dict[str, list[str]]:
    """By test, the types of its rows that it does not miss when they are hidden from it."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        for test in row.tests:
            if row.types and not is_invariant(test):
                wanted[test] |= set(row.types)
    wanted[CONTROL] |= {UNRELATED}
    run = subprocess.run(
        [sys.executable, "-m", "tests.infra.blindfold"],
        input=json.dumps({test: sorted(types) for test, types in wanted.items()}),
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


CONTROL = "azure/test_node_pools.py::test_cpu_pool"
UNRELATED = "network:NatGateway"
"""A type that the test does not look at, and so does not miss."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@declaring_row
def test_its_tests_fail_without_the_resource(row: Row, missed: dict[str, list[str]]) -> None:
    """Each type of the row is missed by one of the row's tests when it is hidden from them."""
    for type_ in row.types:
        assert any(
            invariant_misses(test, type_) if is_invariant(test) else type_ not in missed[test]
            for test in row.tests
        ), f"no test of the row looks at {type_}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_test_that_does_not_look_at_a_resource_is_found(missed: dict[str, list[str]]) -> None:
    assert missed[CONTROL] == [UNRELATED]


def is_invariant(test: str) -> bool:
    return test.partition("::")[2] in INVARIANTS_BY_NAME


def invariant_misses(test: str, type_: str) -> bool:
    """Whether the invariant, which every stack is held to, finds fault with production without."""
    whole = recording_of("prod")
    left = tuple(one for one in whole.resources if not is_of(one, type_))
    assert len(left) < len(whole.resources)
    return bool(list(INVARIANTS_BY_NAME[test.partition("::")[2]](replace(whole, resources=left))))


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
