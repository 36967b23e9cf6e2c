"""Downloads are resumed, bounded and checked, against a real HTTP server."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.serving import download as module
from services.serving.download import DownloadError, NotThere, download
from tests.local_server import address_of, served

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LIMIT = 4 << 20


@dataclass
class FileServer:
    """Serves one file the way the test wants and remembers what it was asked."""

    url: str
    content: bytes = CONTENT
    etag: str | None = '"v1"'
    modified: str | None = None
    cut_after: list[int] = field(default_factory=list)
    declares_length: bool = True
    wrong_part: bool = False
    status: int = 200
    location: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append(dict(self.headers.items()))
        if self.path == "/redirect":
            self._head(302, {"Location": site.location, "Content-Length": "0"})
            return
        if site.status != 200:
            self._head(site.status, {"Content-Length": "0"})
            return
        start = self._start()
        if start >= len(site.content) > 0 and start:
            self._head(416, {"Content-Length": "0"})
            return
        body = site.content[start:]
        headers = {"Connection": "close"}
        if site.declares_length:
            headers["Content-Length"] = str(len(body))
        if start:
            first = start + 7 if site.wrong_part else start
            headers["Content-Range"] = f"bytes {first}-{len(site.content) - 1}/{len(site.content)}"
        if site.etag:
            headers["ETag"] = site.etag
        if site.modified:
            headers["Last-Modified"] = site.modified
        self._head(206 if start else 200, headers)
        self.wfile.write(body[: site.cut_after.pop(0)] if site.cut_after else body)
        self.close_connection = True

    def _start(self) -> int:
        site = self.server.site
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        current = (site.etag, site.modified)
        same = self.headers.get("If-Range") in [each for each in current if each]
        return int(asked.group(1)) if asked and same else 0

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    site: FileServer

    def handle_error(self, *_: object) -> None:
        """Clients of these tests hang up half-way; that is the point."""


@pytest.fixture
def site() -> Iterator[FileServer]:
    """A server on a free port."""
    server = Server(("127.0.0.1", 0), Handler)
    server.site = FileServer(address_of(server))
    with served(server):
        yield server.site


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file goes."""
    return tmp_path / "models" / "weights.bin"


def fetch(site: FileServer, target: Path, path: str = "/file", **options: object) -> str:
    options = {"max_bytes": LIMIT, "progress": False, **options}
    return download(site.url + path, target, **options)  # type: ignore[arg-type]


def files(target: Path) -> list[str]:
    return sorted(each.name for each in target.parent.iterdir())


def test_the_file_arrives_and_its_hash_is_returned(site: FileServer, target: Path) -> None:
    assert fetch(site, target, sha256=SHA256) == SHA256
    assert target.read_bytes() == CONTENT
    assert files(target) == ["weights.bin"]


def test_the_beginning_of_the_hash_is_enough(site: FileServer, target: Path) -> None:
    assert fetch(site, target, sha256_prefix=SHA256[:8].upper()) == SHA256


def test_after_a_cut_connection_only_the_rest_is_asked_for(site: FileServer, target: Path) -> None:
    site.cut_after = [300_000, 400_000]

    assert fetch(site, target, sha256=SHA256) == SHA256
    assert [request.get("Range") for request in site.requests] == [
        None, "bytes=300000-", "bytes=700000-",
    ]  # fmt: skip
    assert site.requests[1]["If-Range"] == '"v1"'
    assert files(target) == ["weights.bin"]


def test_a_later_run_goes_on_where_the_first_gave_up(site: FileServer, target: Path) -> None:
    site.cut_after = [100_000] * 3
    with pytest.raises(DownloadError, match="cannot be fetched"):
        fetch(site, target)
    assert not target.exists()

    assert fetch(site, target, sha256=SHA256) == SHA256
    assert site.requests[-1]["Range"] == "bytes=300000-"


def test_a_date_serves_where_there_is_no_etag(site: FileServer, target: Path) -> None:
    site.etag, site.modified = None, "Mon, 23 Nov 2026 07:00:00 GMT"
    site.cut_after = [1000]

    assert fetch(site, target, sha256=SHA256) == SHA256
    assert site.requests[1]["If-Range"] == site.modified


def test_a_file_that_changed_on_the_server_is_fetched_anew(site: FileServer, target: Path) -> None:
    site.cut_after = [100_000] * 3
    with pytest.raises(DownloadError):
        fetch(site, target)
    site.content, site.etag = CONTENT[::-1], '"v2"'

    assert fetch(site, target) == hashlib.sha256(CONTENT[::-1]).hexdigest()
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_the_file_is_fetched_anew(
    site: FileServer, target: Path, etag: str | None
) -> None:
    site.etag = etag
    site.cut_after = [100_000]

    assert fetch(site, target, sha256=SHA256) == SHA256
    assert all("Range" not in request for request in site.requests)


def test_a_server_that_sends_another_part_is_not_trusted(site: FileServer, target: Path) -> None:
    site.cut_after, site.wrong_part = [1000], True

    with pytest.raises(DownloadError, match="another part of the file"):
        fetch(site, target)
    assert not target.exists()


def test_a_complete_part_file_is_accepted(site: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("weights.bin.part").write_bytes(CONTENT)
    target.with_name("weights.bin.part.etag").write_text('"v1"')

    assert fetch(site, target, sha256=SHA256) == SHA256
    assert files(target) == ["weights.bin"]


def test_a_file_with_another_hash_is_deleted(site: FileServer, target: Path) -> None:
    with pytest.raises(DownloadError, match=f"has SHA-256 {SHA256[:16]}…, expected 0000"):
        fetch(site, target, sha256="0" * 64)
    assert files(target) == []


def test_an_old_file_survives_a_bad_download(site: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_text("old")
    with pytest.raises(DownloadError):
        fetch(site, target, sha256="0" * 64)

    assert target.read_text() == "old"


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_over_the_limit_is_refused_and_not_kept(
    site: FileServer, target: Path, declared: bool
) -> None:
    site.declares_length = declared

    with pytest.raises(DownloadError, match=r"larger than the limit of 1,000 bytes"):
        fetch(site, target, max_bytes=1000)
    assert files(target) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, NotThere), (404, NotThere), (410, NotThere), (429, DownloadError), (500, DownloadError)],
)
def test_an_error_of_the_server_is_told(
    site: FileServer, target: Path, status: int, kind: type[DownloadError]
) -> None:
    site.status = status
    with pytest.raises(DownloadError, match=f"the server answered {status}") as raised:
        fetch(site, target)
    assert raised.type is kind


def test_a_redirect_is_followed(site: FileServer, target: Path) -> None:
    site.location = "/file"

    assert fetch(site, target, "/redirect", sha256=SHA256) == SHA256


@pytest.mark.parametrize(
    "location", ["/redirect", "ftp://127.0.0.1/file", "http://[", "file:///etc/passwd"]
)
def test_a_redirect_to_nowhere_is_one_line(site: FileServer, target: Path, location: str) -> None:
    site.location = location
    with pytest.raises(DownloadError) as raised:
        fetch(site, target, "/redirect")
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "x", "", "http://", "http://[", "http://a:b/",
     "http:///x", "http://\0/", "http://127.0.0.1:99999/"],
)  # fmt: skip
def test_only_web_addresses_are_fetched(url: str, target: Path) -> None:
    with pytest.raises(DownloadError) as raised:
        download(url, target, progress=False)
    assert len(str(raised.value).splitlines()) == 1


def test_an_unreachable_server_is_told_at_once(target: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(DownloadError, match="cannot be fetched"):
            download(f"http://127.0.0.1:{port}/x", target, progress=False)


def test_a_server_that_stalls_is_told(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DownloadError, match="no answer in time"):
            download(f"http://127.0.0.1:{port}/x", target, progress=False)


def test_no_message_shows_a_secret_of_the_address(site: FileServer, target: Path) -> None:
    site.status = 403
    address = site.url.replace("//", "//user:hush@") + "/file?sig=hush#hush"
    with pytest.raises(DownloadError) as raised:
        download(address, target, progress=False)

    assert "hush" not in str(raised.value)
    assert "/file" in str(raised.value)
