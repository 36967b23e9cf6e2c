"""A real browser in front of the client application, which stands in front of real services."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import pytest
import sklearn.datasets
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from services.launch import running
from tests.services.web.upstream_stub import UpstreamStub, contract, running_stub

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LOADS = 3
AUDIT = (Path(__file__).parent / "audit.js").read_text()
STUB_KEYS = ("faq-stub-key-Zt61mB", "resnet-stub-key-Qy84pL")
PHOTOGRAPHS = Path(sklearn.datasets.__file__).parent / "images"


class RunningService(Protocol):
    """What the session's services have in common."""

    url: str
    key: str


@dataclass(frozen=True)
class Site:
    """A running client application, and the keys that its browser must never see."""

    url: str
    metrics_url: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class StubbedSite(Site):
    """One whose services do as they are told."""

    faq: UpstreamStub
    resnet: UpstreamStub


@dataclass
class Witness:
    """Everything that one page said, every response that its browser saw, and whether requests
    of the last loading were dropped because the machine's network changed.
    """

    messages: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    interrupted: bool = False

    def follow(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))
        page.on("response", lambda response: self.responses.append(response))
        page.on("requestfailed", self._miss)

    def open(self, page: Page, url: str) -> None:
        """Go there, once more where the machine's network changed: a container that another test
        starts has an interface of its own, and Chromium drops all requests when one comes.
        """
        for _ in range(LOADS):
            self.interrupted = False
            page.goto(url)
            if not self.interrupted:
                return

    def _miss(self, request: Request) -> None:
        self.interrupted |= request.failure == "net::ERR_NETWORK_CHANGED"

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser itself notes every response that is no success; the page's texts are
        # what tests of failures look at.
        its_own = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not its_own:
            self.messages.append(message.text)

    def traffic(self) -> str:
        """Headers and bodies of all requests and responses."""
        pieces: list[str] = []
        for response in self.responses:
            with suppress(PlaywrightError):
                request = response.request
                pieces += [request.url, str(request.all_headers()), str(response.all_headers())]
                pieces += [response.body().decode("latin-1"), str(request.post_data_buffer or "")]
        return "\n".join(pieces)


class OpenPage(Protocol):
    """Opens a page in a fresh browser profile."""

    def __call__(
        self,
        site: Site,
        path: str = "/",
        *,
        width: int = 1100,
        height: int = 800,
        scheme: Literal["light", "dark"] = "light",
        scale: float = 1,
    ) -> Page: ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (Debian's package: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Generator[OpenPage]:
    """Opens pages; at the end none may have complained, strayed, or been shown a key."""
    closing: list[Callable[[], None]] = []

    def open_one(
        site: Site,
        path: str = "/",
        *,
        width: int = 1100,
        height: int = 800,
        scheme: Literal["light", "dark"] = "light",
        scale: float = 1,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            device_scale_factor=scale,
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        witness = Witness()
        witness.follow(page)

        def close() -> None:
            try:
                traffic = witness.traffic()
                strangers = {
                    response.url
                    for response in witness.responses
                    if not response.url.startswith((site.url, f"blob:{site.url}"))
                }
            finally:
                context.close()
            assert witness.messages == []
            assert strangers == set()
            assert len(traffic) > 1000, "the traffic was looked at"
            for key in site.keys:
                assert key not in traffic

        closing.append(close)
        witness.open(page, site.url + path)
        return page

    yield open_one
    for close in closing:
        close()


@pytest.fixture(scope="session")
def site(
    faq_server: RunningService,
    resnet_server: RunningService,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The client application in front of the two real services."""
    yield from _serve(
        tmp_path_factory.mktemp("site"),
        (faq_server.url, resnet_server.url),
        (faq_server.key, resnet_server.key),
    )


@pytest.fixture(scope="session")
def stubbed_site_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubbedSite]:
    """The client application in front of two services that fail on request."""
    folder = tmp_path_factory.mktemp("stubbed-site")
    with running_stub() as faq, running_stub() as resnet:
        for site in _serve(folder, (faq.url, resnet.url), STUB_KEYS):
            yield StubbedSite(site.url, site.metrics_url, site.keys, faq, resnet)


@pytest.fixture
def stubbed_site(stubbed_site_process: StubbedSite) -> StubbedSite:
    """The same, with services that answer as they should and have heard nothing yet."""
    for stub in (stubbed_site_process.faq, stubbed_site_process.resnet):
        stub.answer = contract
        stub.received.clear()
    return stubbed_site_process


@pytest.fixture(scope="session")
def deserted_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The client application with no service behind it."""
    nowhere = "http://127.0.0.1:9"
    yield from _serve(tmp_path_factory.mktemp("deserted"), (nowhere, nowhere), STUB_KEYS)


def _serve(folder: Path, urls: tuple[str, str], keys: tuple[str, str]) -> Iterator[Site]:
    options: list[str | Path] = []
    for name, url, key in zip(("faq", "resnet"), urls, keys, strict=True):
        key_file = folder / f"{name}.key"
        key_file.write_text(key)
        options += [f"--{name}-url", url, f"--{name}-key-file", key_file]
    with running("services.web", *options, log_folder=folder) as process:
        yield Site(process.url, process.metrics_url, keys)
