"""The control plane of the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.api import Api, wait_for
from tests.cluster.control_plane import SCRIPT, control_plane

CSI_KINDS = Path(__file__).parent / "secret_provider_classes.yaml"
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="the control plane for tests (../shared/engine) is not here")
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if not SCRIPT.exists():
                item.add_marker(absent)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A control plane without nodes, with the kinds that AKS' add-ons bring."""
    with control_plane(tmp_path_factory.mktemp("control-plane") / "state") as api:
        definition = yaml.safe_load(CSI_KINDS.read_text())
        api.apply(definition)
        wait_for(lambda: api.get(api.path_of(definition)).get("status", {}).get("conditions"), 20)
        yield api
