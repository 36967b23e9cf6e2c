"""Addresses in settings, and in what a provider says of itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def plain_address(url: str) -> str:
    """An http(s) address with a host, without credentials, query, fragment or a slash at its end.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port != 0
    except ValueError:
        raise ValueError("is not a valid address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise ValueError("must be an address such as http://127.0.0.1:8081")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return url.rstrip("/")


def secure_address(url: str) -> str:
    """An https address, or an http one of this machine, letter by letter.

    Raises:
        ValueError: it is neither.
    """
    if not (url.startswith("https://") or (url.startswith("http://") and is_loopback(url))):
        raise ValueError("must begin with https://")
    return url


def is_loopback(url: str) -> bool:
    """Whether an address is one of this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
