"""What a browser does at sign-in, without one: cookies that are Secure on a loopback address."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from services.launch import LaunchedService, free_ports, launch
from tests.services.web.sign_in.hostile_provider import HostileProvider

HTTP = httpx.Client(timeout=20)
"""One for all: its certificates take longer to load than a sign-in."""


@contextmanager
def running_page(
    issuer: str, *options: str | Path, log_folder: Path, port: int = 0
) -> Generator[LaunchedService]:
    """The client application with sign-in at a provider, until the end of the block."""
    port = port or free_ports(1)[0]
    sign_in = (
        "--public-url", f"http://127.0.0.1:{port}",
        "--sign-in-issuer", issuer,
        "--sign-in-client-id", "page",
    )  # fmt: skip
    page = launch("services.web", *sign_in, *options, log_folder=log_folder, port=port)
    try:
        page.wait_until_ready()
        yield page
    finally:
        page.stop()


@dataclass
class Visitor:
    """Somebody's browser at the page."""

    url: str
    provider: HostileProvider
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: dict[str, Morsel[str]] = field(default_factory=dict)
    codes: int = 0

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._send("GET", path, None, headers)

    def post(self, path: str, content: object = None, **headers: str) -> httpx.Response:
        return self._send("POST", path, content if content is not None else {}, headers)

    def begin(self, path: str = "/auth/sign-in") -> dict[str, str]:
        """Go to the provider; the authorisation request that it gets."""
        response = self.get(path)
        assert response.status_code == 303, response.text
        request = dict(parse_qsl(urlsplit(response.headers["Location"]).query))
        request["endpoint"] = response.headers["Location"].split("?")[0]
        return request

    def come_back(self, request: dict[str, str], **changes: str) -> httpx.Response:
        """From the provider, with a code; an empty change leaves a parameter out."""
        self.codes += 1
        code = f"code-{self.codes}-{request['state'][:8]}"
        self.provider.requests[code] = request
        answer = {"state": request["state"], "code": code, **changes}
        query = httpx.QueryParams({name: value for name, value in answer.items() if value})
        return self.get(f"/auth/callback?{query}")

    def sign_in(self) -> httpx.Response:
        """All of it; the page's last answer."""
        return self.come_back(self.begin())

    def csrf_token(self) -> str:
        return str(self.get("/api/session").json()["csrf_token"])

    def _send(
        self, method: str, path: str, content: object, headers: dict[str, str]
    ) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookie} if cookie else {}), **headers}
        response = HTTP.request(
            method, self.url + path, json=content,
            headers={name: value.encode() for name, value in sent.items()},
        )  # fmt: skip
        HTTP.cookies.clear()
        for line in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.set_cookies[name] = morsel
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return response
