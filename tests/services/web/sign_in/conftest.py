"""One client application with sign-in at one hostile provider, for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.launch import LaunchedService
from tests.services.web.sign_in.hostile_provider import HostileProvider, running_provider
from tests.services.web.sign_in.visitor import Visitor, running_page
from tests.services.web.upstream_stub import UpstreamStub, running_stub

CLIENT_SECRET = "client-secret-7Hq2vN"
LEEWAY_SECONDS = 60


@pytest.fixture(scope="session")
def provider_process() -> Iterator[HostileProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def faq() -> Iterator[UpstreamStub]:
    with running_stub() as faq:
        yield faq


@pytest.fixture(scope="session")
def page(
    provider_process: HostileProvider, faq: UpstreamStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LaunchedService]:
    folder = tmp_path_factory.mktemp("sign-in")
    secret = folder / "client-secret"
    secret.write_text(CLIENT_SECRET + "\n")
    options: tuple[str | Path, ...] = (
        "--faq-url", faq.url, "--sign-in-client-secret-file", secret,
        "--sign-in-groups", "scorers", "--sign-in-roles", "Page.Use",
        "--clock-skew-seconds", str(LEEWAY_SECONDS), "--key-refresh-seconds", "1",
    )  # fmt: skip
    with running_page(provider_process.url, *options, log_folder=folder) as page:
        yield page


@pytest.fixture
def provider(provider_process: HostileProvider) -> HostileProvider:
    """Honest until the test says otherwise."""
    provider_process.be_honest()
    return provider_process


@pytest.fixture
def visitor(page: LaunchedService, provider: HostileProvider) -> Visitor:
    """Somebody whose browser has never been at the page."""
    return Visitor(page.url, provider)
