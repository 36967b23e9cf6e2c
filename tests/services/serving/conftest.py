"""The two services that most tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.serving.live_service import ECHO, LiveService, service


@pytest.fixture(scope="session")
def lever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """The lever service with its defaults; tests leave it as they found it."""
    with service(tmp_path_factory.mktemp("lever")) as live:
        yield live


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """The echo service with its defaults."""
    with service(tmp_path_factory.mktemp("echo"), module=ECHO) as live:
        yield live
