"""Projects for the real engine; without the `pulumi` program these tests are skipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.project import ROOT, Project, make_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them take long; the limit of a single test elsewhere is too short for them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def program() -> str:
    found = shutil.which("pulumi")
    if found is None:
        pytest.skip("the `pulumi` program is not installed")
    return found


@pytest.fixture
def project(tmp_path: Path, program: str) -> Project:
    return make_project(tmp_path, program)


@pytest.fixture(scope="package")
def previewed(tmp_path_factory: pytest.TempPathFactory, program: str) -> Project:
    """A project for previews alone, whose state nothing changes."""
    return make_project(tmp_path_factory.mktemp("previewed"), program)


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory, program: str) -> Project:
    """A project whose stack dev is up."""
    project = make_project(tmp_path_factory.mktemp("deployed"), program)
    project.add_stack("dev", ROOT / "Pulumi.dev.yaml")
    project.run("up", "--yes", "--skip-preview", "--stack", "dev")
    return project
