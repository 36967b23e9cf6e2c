"""Clients of the gateway, each with an address of its own on loopback."""

from __future__ import annotations

import itertools
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import httpx

from tests.gateway.served import ServedGateway

_HOSTS = itertools.count(2)


def fresh_address() -> str:
    """An address that no other client of the session has, so that no limit is used up."""
    number = next(_HOSTS)
    return f"127.0.{number // 250}.{number % 250 + 1}"


@dataclass(frozen=True)
class Client:
    """One that knows the gateway's name and trusts its certificate."""

    gateway: ServedGateway
    address: str

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.gateway.certificate.certificate))
        # The certificate signs itself, which is no authority in a stricter reading.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def session(self) -> httpx.Client:
        """Keeps its only connection; certificate and name are checked."""
        transport = httpx.HTTPTransport(
            verify=self.trust(),
            local_address=self.address,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=None),
        )
        return httpx.Client(transport=transport, timeout=30, base_url=self.url(""), trust_env=False)

    def http_2_session(self) -> httpx.AsyncClient:
        """The same over HTTP/2, for many requests at once: threads would take turns at reading."""
        transport = httpx.AsyncHTTPTransport(
            verify=self.trust(),
            local_address=self.address,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=None),
            http2=True,
        )
        return httpx.AsyncClient(
            transport=transport, timeout=30, base_url=self.url(""), trust_env=False
        )

    def url(self, path: str, *, tls: bool = True) -> str:
        port = self.gateway.https_port if tls else self.gateway.http_port
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"

    def request(
        self, method: str, path: str, *, tls: bool = True, host: str = "", **options: Any
    ) -> httpx.Response:
        """One request on a connection of its own."""
        headers = {"Host": host or self.gateway.host_name, **options.pop("headers", {})}
        with self.session() as session:
            return session.request(
                method,
                self.url(path, tls=tls),
                headers=headers,
                extensions={"sni_hostname": host or self.gateway.host_name},
                **options,
            )

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A bare TLS connection, for what no well-behaved client would do."""
        plain = socket.create_connection(
            ("127.0.0.1", self.gateway.https_port), timeout=30, source_address=(self.address, 0)
        )
        return (context or self.trust()).wrap_socket(plain, server_hostname=self.gateway.host_name)

    def connect_plainly(self) -> socket.socket:
        """The same without TLS."""
        return socket.create_connection(
            ("127.0.0.1", self.gateway.http_port), timeout=30, source_address=(self.address, 0)
        )

    def head(self, path: str, *further: str, method: str = "GET") -> bytes:
        """The head of a request in HTTP/1.1, as bytes."""
        lines = (f"{method} {path} HTTP/1.1", f"Host: {self.gateway.host_name}", *further)
        return "\r\n".join((*lines, "", "")).encode()
