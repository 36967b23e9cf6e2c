"""A provider that does as a test tells it: real HTTP and real signatures, and any lie."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.local_server import served

Claims = dict[str, Any]
KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"}, private=True)
NEXT_KEY = RSAKey.generate_key(2048, parameters={"kid": "two", "use": "sig"}, private=True)
STRANGERS_KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"}, private=True)


@dataclass(frozen=True)
class Reply:
    """A whole HTTP answer, in place of the honest one."""

    status: int = 200
    content: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    trickle_seconds: float = 0.0


@dataclass
class HostileProvider:
    """A running provider, what it was asked, and how it lies next.

    Attributes:
        claims: changes the claims of an honest ID token.
        sign: makes the token of the claims.
        keys: those that it publishes.
        instead: whole answers by path.
        asked: paths, in order.
        forms: what came to the token endpoint.
        requests: what browsers brought to the authorisation endpoint.
    """

    url: str
    claims: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] = lambda claims: signed(claims, KEY)
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    instead: dict[str, Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    requests: dict[str, dict[str, str]] = field(default_factory=dict)

    def be_honest(self) -> None:
        """Forget what a test said."""
        fresh = HostileProvider(self.url)
        self.__dict__.update(fresh.__dict__)

    def discovery(self) -> dict[str, Any]:
        """What an honest provider says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorise",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/sign-out",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def honest_claims(self, request: Mapping[str, str]) -> Claims:
        """Of a member of the group, in answer to an authorisation request."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": request["client_id"],
            "sub": "subject-of-grace",
            "name": "Grace Hopper",
            "groups": ["scorers"],
            "nonce": request["nonce"],
            "iat": now,
            "exp": now + 300,
        }

    def answer(self, path: str, form: dict[str, str]) -> Reply:
        """The honest answer, as far as the test has not changed it."""
        self.asked.append(path)
        if path in self.instead:
            return self.instead[path]
        if path == "/.well-known/openid-configuration":
            return _json(self.discovery())
        if path == "/keys":
            return _json({"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            self.forms.append(form)
            claims = self.claims(self.honest_claims(self.requests[form["code"]]))
            token = self.sign(claims)
            return _json({"access_token": "at", "token_type": "Bearer", "id_token": token})
        return Reply(404)


def signed(claims: Claims, key: RSAKey, **header: Any) -> str:
    """An RS256 token."""
    return jwt.encode({"alg": "RS256", "kid": key.kid, **header}, claims, key)


def unsigned(claims: Claims) -> str:
    """A token of the algorithm `none`."""
    return f"{_coded({'alg': 'none'})}.{_coded(claims)}."


def signed_with_public_key(claims: Claims) -> str:
    """HS256, with what everybody knows of the RSA key as the secret."""
    secret = KEY.as_pem(private=False)
    text = f"{_coded({'alg': 'HS256', 'kid': 'one'})}.{_coded(claims)}"
    return f"{text}.{_base64(hmac.digest(secret, text.encode(), 'sha256'))}"


def _coded(content: object) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _json(content: object) -> Reply:
    return Reply(content=json.dumps(content).encode())


def _handler(provider: HostileProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(provider.answer(urlsplit(self.path).path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(provider.answer(urlsplit(self.path).path, form))

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.delay_seconds)
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", **reply.headers}
            for name, value in {**headers, "Content-Length": str(len(reply.content))}.items():
                self.send_header(name, value)
            self.end_headers()
            step = 1 if reply.trickle_seconds else max(1, len(reply.content))
            try:
                for start in range(0, len(reply.content), step):
                    self.wfile.write(reply.content[start : start + step])
                    time.sleep(reply.trickle_seconds)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output clean."""

    return Handler


@contextmanager
def running_provider(
    port: int = 0, tls: ssl.SSLContext | None = None
) -> Generator[HostileProvider]:
    """A hostile provider on a port of 127.0.0.1, behind TLS where a context is given."""
    provider = HostileProvider("")
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(provider))
    server.daemon_threads = True
    if tls is not None:
        # The handshake belongs to the request's thread: one that fails must not end the server.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    provider.url = f"{scheme}://127.0.0.1:{server.server_port}"
    with served(server):
        yield provider
