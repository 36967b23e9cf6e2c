"""The control plane of the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.api import Api
from tests.cluster.control_plane import SCRIPT, control_plane
from tests.cluster.heartbeats import heartbeats
from tests.waiting import wait_for

FOLDER = Path(__file__).parent
FURTHER_KINDS = ("secret_provider_classes.yaml", "external_metric.yaml")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="the control plane for tests (../shared/engine) is not here")
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if not SCRIPT.exists():
                item.add_marker(absent)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A control plane without nodes, with the kinds that AKS' add-ons bring and a queue's depth."""
    with control_plane(tmp_path_factory.mktemp("control-plane") / "state") as api:
        for name in FURTHER_KINDS:
            definition = yaml.safe_load((FOLDER / name).read_text())
            path = api.path_of(api.apply(definition))
            wait_for(lambda path=path: api.get(path).get("status", {}).get("conditions"), 20)
        with heartbeats(Api(api.address, api.token)):
            yield api
