"""The address of a service, and whether it is on this machine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of a service, and the path that its API is under.

    ``prefix`` is empty or begins with a slash and does not end with one.
    """

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        """``host:port`` as the Host header has it; the port is left out where it is standard."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        standard = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == standard else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"


def read_address(url: str) -> Address:
    """An :class:`Address` from a URL.

    Raises:
        ValueError: it is not an http or https URL of a host, or it carries a password, query or
            fragment. The message does not repeat the URL, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the address is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address must begin with http:// or https:// and name a host")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("the address must not carry a user name, query or fragment")
    if ":" not in parts.hostname and not _is_name(parts.hostname):
        raise ValueError("the address must name a host")
    if not url.isprintable() or not url.isascii() or " " in url:
        raise ValueError("the address must be plain ASCII")
    return Address(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        prefix=parts.path.rstrip("/"),
    )


def _is_name(host: str) -> bool:
    """Whether a host name has the lengths that DNS allows (RFC 1035 section 2.3.4)."""
    return len(host) <= 253 and all(1 <= len(label) <= 63 for label in host.split("."))
