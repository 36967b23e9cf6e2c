"""What the gateway's tests stand on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from infra.recording import record
from infra.settings import read_settings
from tests.gateway.backends import Services, running_services
from tests.gateway.clients import Client, fresh_address
from tests.gateway.echo import Echo, echo_server
from tests.gateway.served import (
    SCRIPT,
    ServedGateway,
    envoy_program,
    make_certificate,
    route,
    solver_route,
)
from tests.network import Network, own_network

FOLDER = Path(__file__).parent
HOST = "scoring.example.org"
PER_MINUTE = 40
TIMEOUT_SECONDS = 4
Serve = Callable[..., AbstractContextManager[ServedGateway]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if FOLDER in item.path.parents]
    absent = why_not_here()
    if ours and absent and os.environ.get("SCORING_REQUIRE_ENGINES"):
        raise pytest.UsageError(f"SCORING_REQUIRE_ENGINES is set, but {absent}")
    for item in ours:
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
def network() -> Iterator[Network]:
    """Where all of this runs: Envoy Gateway's own ports are fixed, and open to every address."""
    with own_network() as network:
        yield network


@pytest.fixture(scope="module", autouse=True)
def _in_the_network(network: Network) -> Iterator[None]:
    with network.entered():
        yield


@pytest.fixture(scope="session")
def echo(network: Network) -> Iterator[Echo]:
    with ExitStack() as stack:
        with network.entered():
            echo = stack.enter_context(echo_server())
        yield echo


@pytest.fixture(scope="session")
def services(
    network: Network,
    faq_model: Path,
    resnet_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Services]:
    with ExitStack() as stack:
        with network.entered():
            services = running_services(faq_model, resnet_model, tmp_path_factory.mktemp)
            services = stack.enter_context(services)
        yield services


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


@pytest.fixture(scope="module")
def gateway(serve: Serve, echo: Echo, services: Services) -> Iterator[ServedGateway]:
    """With the real services at their paths, and an echo at a path of its own."""
    settings = {
        "gateway": {
            "requests_per_minute": PER_MINUTE,
            "max_body_mib": 1,
            "request_timeout_seconds": TIMEOUT_SECONDS,
            "allowed_networks": ["127.0.0.0/16"],
        },
        "faq": {"deadline_ms": 3000},
        "resnet": {"deadline_ms": 3000},
        "web": {
            "enabled": True,
            "api_key": "a-key-of-the-web-application",
            "sign_in": {"client_id": "page", "everyone": True},
        },
    }
    further = [route("/echo", HOST, "echo"), solver_route(HOST, "token", "echo")]
    backends = {**services.ports(), "echo": [echo.port]}
    with serve(settings, backends, further=further) as gateway:
        yield gateway


@pytest.fixture
def client(gateway: ServedGateway) -> Client:
    """A client that nobody has limited yet."""
    return Client(gateway, fresh_address())
