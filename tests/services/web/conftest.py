"""The client application as its own process, between this test and two stubs of the services."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.launch import running
from tests.services.web.upstream_stub import UpstreamStub, contract, running_stub

FAQ_KEY = "faq-key-3pq9ZkVw7Lr2TnXy"
RESNET_KEY = "resnet-key-8mWc4HjD6sBv1QfG"
UPSTREAM_SECONDS = 1.0
MOST_PICTURE_BYTES = 100_000


@dataclass(frozen=True)
class Web:
    """A running client application and what stands behind it."""

    url: str
    metrics_url: str
    log: Path
    faq: UpstreamStub
    resnet: UpstreamStub
    http: httpx.Client
    faq_key_file: Path

    def ask(self, question: object = "why?", **headers: str) -> httpx.Response:
        """Ask as the page does."""
        return self.http.post("/api/ask", json={"question": question}, headers=headers)

    def classify(self, picture: bytes = b"\xff\xd8\xff", **headers: str) -> httpx.Response:
        """Send a picture as the page does."""
        headers = {"Content-Type": "image/jpeg", **headers}
        return self.http.post("/api/classify", content=picture, headers=headers)


@pytest.fixture(scope="session")
def web_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One process for all tests."""
    folder = tmp_path_factory.mktemp("web")
    faq_key_file, resnet_key_file = folder / "faq.key", folder / "resnet.key"
    faq_key_file.write_text(FAQ_KEY + "\n")
    resnet_key_file.write_text(RESNET_KEY)
    with running_stub() as faq, running_stub() as resnet:
        options = (
            "--faq-url", faq.url, "--faq-key-file", faq_key_file,
            "--resnet-url", resnet.url, "--resnet-key-file", resnet_key_file,
            "--upstream-seconds", str(UPSTREAM_SECONDS),
            "--max-picture-bytes", str(MOST_PICTURE_BYTES),
        )  # fmt: skip
        with (
            running("services.web", *options, log_folder=folder) as process,
            httpx.Client(base_url=process.url, timeout=20) as http,
        ):
            yield Web(
                process.url, process.metrics_url, process.log, faq, resnet, http, faq_key_file
            )


@pytest.fixture
def web(web_process: Web) -> Generator[Web]:
    """That process, with stubs that answer as the services do and have heard nothing yet."""
    for stub in (web_process.faq, web_process.resnet):
        stub.answer = contract
        stub.received.clear()
    yield web_process
    web_process.faq_key_file.write_text(FAQ_KEY + "\n")
