"""Which addresses are taken, and which are on this machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.address import read_address


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://localhost/", "http://localhost"),
        ("https://api.example.org:443/faq/", "https://api.example.org/faq"),
        ("http://[::1]:8081", "http://[::1]:8081"),
        ("HTTP://Example.ORG:80", "http://example.org"),
    ],
)
def test_an_address_is_read(url, shown):
    assert str(read_address(url)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "", "127.0.0.1:8081", "ftp://a", "http://", "http://a:port", "http://a:99999",
        "http://user:secret@a", "http://a?key=secret", "http://a#secret", "http://ä.example",
        "http://a b", "http://a\n", "http://[::1", "http://a..b", f"http://{'a' * 64}.example",
    ],
)  # fmt: skip
def test_everything_else_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match="the address") as raised:
        read_address(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_is_recognised(host):
    assert read_address(f"http://{host}:1").is_loopback


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "example.org", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_other_machines_are_not_taken_for_it(host):
    assert not read_address(f"http://{host}:1").is_loopback


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text):
    for url in (text, f"http://{text}"):
        try:
            address = read_address(url)
        except ValueError:
            continue
        assert read_address(str(address)) == address
