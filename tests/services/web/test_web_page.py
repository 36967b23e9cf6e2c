"""The page, its files, its headers, its probes and its metrics."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from services.web.application import STATIC
from tests.services.web.conftest import Web

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
FILES = sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())


class Audit(HTMLParser):
    """Collects what a page refers to and what the policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forbidden: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self._in_script = tag == "script"
        self.forbidden += [name for name in attributes if name.startswith("on") or name == "style"]
        self.forbidden += [tag] if tag == "style" else []
        if tag in ("script", "link", "img"):
            self.addresses += [attributes.get("src") or attributes.get("href") or ""]

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.forbidden.append(data)


def test_the_page_is_html_and_is_revalidated(web: Web) -> None:
    response = web.http.get("/")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    again = web.http.get("/", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_the_page_has_no_inline_script_or_style_and_refers_only_to_its_own_files(web: Web) -> None:
    audit = Audit()
    audit.feed(web.http.get("/").text)
    assert audit.forbidden == []
    assert audit.addresses
    for address in audit.addresses:
        assert web.http.get("/" + address).status_code == 200, address


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/examples", "/nowhere", "/livez"])
def test_every_response_carries_the_security_headers(web: Web, path: str) -> None:
    headers = web.http.get(path).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-Id"]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_what_it_is(web: Web, name: str) -> None:
    kinds = {
        ".js": ("text/javascript", "application/javascript"),
        ".css": ("text/css",),
        ".svg": ("image/svg+xml",),
        ".jpg": ("image/jpeg",),
        ".html": ("text/html",),
        ".md": ("text/markdown",),
    }
    response = web.http.get(f"/static/{name}")
    assert response.content == (STATIC / name).read_bytes()
    assert response.headers["Content-Type"].split(";")[0] in kinds[Path(name).suffix]


@pytest.mark.parametrize(
    "path", ["/static/../application.py", "/static/%2e%2e/settings.py", "/static//etc/passwd"]
)
def test_nothing_beside_the_static_files_is_served(web: Web, path: str) -> None:
    assert httpx.get(web.url + path, follow_redirects=True).status_code == 404


def test_examples_name_pictures_that_exist(web: Web) -> None:
    examples = web.http.get("/api/examples").json()
    assert len(examples["questions"]) == 7
    for question in examples["questions"]:
        assert 0 < len(question["label"]) < 40 < len(question["question"])
    for picture in examples["pictures"]:
        response = web.http.get(f"/static/examples/{picture['file']}")
        assert response.headers["Content-Type"] == "image/jpeg"
        assert picture["alternative"]
        assert "CC\xa0BY" in picture["credit"]


def test_probes_answer(web: Web) -> None:
    assert web.http.get("/livez").json() == {"status": "alive"}
    assert web.http.get("/readyz").json() == {"status": "ready"}


def test_unknown_paths_and_methods_are_problems(web: Web) -> None:
    missing = web.http.get("/nowhere")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)
    wrong = web.http.get("/api/ask")
    assert wrong.status_code == 405
    assert wrong.headers["Content-Type"] == "application/problem+json"
    assert wrong.headers["Allow"] == "POST"


def test_metrics_count_requests_by_route_and_the_seconds_of_the_services(web: Web) -> None:
    web.ask()
    web.http.get("/surely/not/a/route")
    text = httpx.get(f"{web.metrics_url}/metrics").text
    assert 'web_requests_total{code="200",route="/api/ask"}' in text
    assert 'web_requests_total{code="404",route="unknown"}' in text
    assert 'web_upstream_duration_seconds_count{outcome="200",service="faq"}' in text
    assert "/surely/not/a/route" not in text
