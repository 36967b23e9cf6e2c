"""What the gateway's tests stand on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from infra.recording import record
from infra.settings import read_settings
from tests.gateway.clients import Client, fresh_address
from tests.gateway.echo import Echo, echo_server
from tests.gateway.served import SCRIPT, ServedGateway, envoy_program, make_certificate

FOLDER = Path(__file__).parent
HOST = "scoring.example.org"
Serve = Callable[..., AbstractContextManager[ServedGateway]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = why_not_here()
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if absent:
                item.add_marker(pytest.mark.skip(reason=absent))


def why_not_here() -> str:
    """What the tests need and this machine lacks."""
    if not SCRIPT.exists():
        return "Envoy Gateway for tests (../shared/engine) is not here"
    if envoy_program() is None:
        return "Envoy is not here: make envoy"
    if shutil.which("openssl") is None:
        return "openssl is not here"
    return ""


@pytest.fixture(scope="session")
def echo() -> Iterator[Echo]:
    with echo_server() as echo:
        yield echo


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """``with serve(settings, backends):`` the gateway of a stack with these settings."""

    def serving(
        values: Mapping[str, Any], backends: Mapping[str, Sequence[int]], **options: Any
    ) -> AbstractContextManager[ServedGateway]:
        settings = read_settings(
            {
                "subscription_id": "11111111-1111-1111-1111-111111111111",
                "tenant_id": "22222222-2222-2222-2222-222222222222",
                **values,
                "gateway": {"host_name": HOST, **values["gateway"]},
            }
        )
        folder = tmp_path_factory.mktemp("gateway")
        program = envoy_program()
        assert program is not None
        return ServedGateway(
            record(settings, stack="gateway"),
            HOST,
            make_certificate(folder, HOST, "first"),
            dict(backends),
            folder,
            **options,
        ).running(program)

    return serving


@pytest.fixture
def client(gateway: ServedGateway) -> Client:
    """A client that nobody has limited yet."""
    return Client(gateway, fresh_address())
