"""Sign-in is set up as a whole, or the page listens on a loopback address alone."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.web.settings import WebSettings
from tests.services.web.test_web_settings import serve

TENANT = "22222222-2222-2222-2222-222222222222"
WHOLE: dict[str, Any] = {
    "public_url": "https://scoring.example.org",
    "sign_in_tenant": TENANT,
    "sign_in_client_id": "page",
    "sign_in_everyone": True,
}


def test_without_sign_in_the_page_refuses_other_addresses_and_says_why() -> None:
    done = serve("--host", "0.0.0.0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "sign-in must be set up" in done.stderr
    assert WebSettings(host="::1").is_loopback
    assert WebSettings(host="0.0.0.0", **WHOLE).signs_in
    assert WebSettings(host="0.0.0.0", open_to_network=True).open_to_network


@pytest.mark.parametrize("name", WHOLE)
def test_half_a_sign_in_is_a_mistake_on_a_loopback_address_too(name: str) -> None:
    left = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(ValidationError, match="set up by half"):
        WebSettings(**left)


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_in_tenant": "common"}, {"sign_in_tenant": "organizations"},
        {"sign_in_issuer": "https://accounts.example.org"}, {"open_to_network": True},
        {"sign_in_tenant": "", "sign_in_issuer": "http://accounts.example.org"},
        {"public_url": "http://scoring.example.org"}, {"public_url": "https://a.example/path"},
        {"sign_in_groups": ["a"]}, {"sign_in_scopes": "profile"}, {"clock_skew_seconds": 301},
        {"sign_in_client_secret_file": "/a", "sign_in_client_assertion_file": "/b"},
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_a_mistake(changes: dict[str, Any]) -> None:
    WebSettings(**WHOLE)
    with pytest.raises(ValidationError):
        WebSettings(**{**WHOLE, **changes})


def test_an_address_on_the_network_must_be_https_and_one_of_this_machine_need_not() -> None:
    issuer = {"sign_in_tenant": "", "sign_in_issuer": "https://accounts.example.org"}
    for key, others in (("public_url", {}), ("sign_in_issuer", issuer)):
        with pytest.raises(ValidationError, match="must begin with https://"):
            WebSettings(**{**WHOLE, **others, key: "http://scoring.example.org"})
        assert WebSettings(**{**WHOLE, **others, key: "http://127.0.0.1:8080"}).signs_in
