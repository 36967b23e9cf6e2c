"""Pictures that arrive at once fit into a pod, however large one of them may be."""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.sections.workloads import WebSettings
from services.launch import running
from tests.services.web.conftest import Web
from tests.services.web.upstream_stub import running_stub

MIB = 1 << 20
LARGEST_OF_A_GATEWAY = 64 * MIB


@contextmanager
def upload(url: str, length: int) -> Iterator[str]:
    """The first line that the page's server says to a picture of which only the head was sent."""
    parts = urlsplit(url)
    head = (
        f"POST /api/classify HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as wire:
        wire.sendall(head.encode())
        yield wire.recv(200).decode().splitlines()[0]


def test_uploads_are_bounded_together_and_one_alone_is_let_in(tmp_path: Path) -> None:
    largest = str(LARGEST_OF_A_GATEWAY)
    taken, refused = "HTTP/1.1 100 Continue", "HTTP/1.1 503 Service Unavailable"
    with running("services.web", "--max-picture-bytes", largest, log_folder=tmp_path) as page:
        with upload(page.url, 40 * MIB) as first, upload(page.url, 40 * MIB) as second:
            assert (first, second) == (taken, refused)
            with upload(page.url, 8 * MIB) as small, upload(page.url, 16 * MIB) as all_taken:
                assert (small, all_taken) == (taken, taken)
                with upload(page.url, 1 * MIB) as more, upload(page.url, 10_000) as question:
                    assert (more, question) == (refused, taken)
        assert _answer_to_one_alone(page.url) == taken


def _answer_to_one_alone(url: str) -> str:
    """Once the page's server has noticed that those before are gone."""
    until = time.monotonic() + 10
    while True:
        with upload(url, LARGEST_OF_A_GATEWAY) as answer:
            if "100" in answer or time.monotonic() > until:
                return answer
        time.sleep(0.05)


def test_the_largest_picture_fits_into_the_memory_of_a_pod(tmp_path: Path) -> None:
    options = ("--max-picture-bytes", str(LARGEST_OF_A_GATEWAY))
    with (
        running_stub() as resnet,
        running("services.web", "--resnet-url", resnet.url, *options, log_folder=tmp_path) as page,
    ):
        picture = bytes(LARGEST_OF_A_GATEWAY)
        headers = {"Content-Type": "image/png"}
        for _ in range(3):
            answer = httpx.post(f"{page.url}/api/classify", content=picture, headers=headers)
            assert answer.status_code == 200
            assert resnet.received.pop().body == picture
        status = Path(f"/proc/{page.process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    assert int(peak[1]) << 10 < WebSettings().memory_mib * MIB


@pytest.mark.parametrize(("path", "kind"), [("ask", "application/json"), ("classify", "image/png")])
def test_a_compressed_body_is_not_unpacked(web: Web, path: str, kind: str) -> None:
    """A few bytes of it could be as much as all uploads together may have."""
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    packed = gzip.compress(b'{"question": "why?"}')
    assert web.http.post(f"/api/{path}", content=packed, headers=headers).status_code == 415
    assert web.faq.received == web.resnet.received == []
    plain = {**headers, "Content-Encoding": "identity"}
    answer = web.http.post(f"/api/{path}", content=gzip.decompress(packed), headers=plain)
    assert answer.status_code == 200
