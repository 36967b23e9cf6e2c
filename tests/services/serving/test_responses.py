"""The access log says whose request it was, and nothing that they wrote themselves."""

from __future__ import annotations

import pytest

from services.serving.responses import client_address


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("", "10.0.0.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 198.51.100.2", "198.51.100.2"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%my secret text", "fe80::1"),
        ("my secret text", "10.0.0.1"),
        ("203.0.113.7, my secret text", "10.0.0.1"),
        ("203.0.113.7%my secret text", "203.0.113.7"),
    ],
)
def test_the_client_is_an_address(forwarded_for: str, client: str) -> None:
    assert client_address(forwarded_for, "10.0.0.1") == client


def test_there_may_be_no_address() -> None:
    assert client_address("", "") == ""
