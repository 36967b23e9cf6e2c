"""What who is signed in can do, and what others can make their browser do."""

from __future__ import annotations

import pytest

from tests.services.web.sign_in.hostile_provider import HostileProvider, Reply
from tests.services.web.sign_in.visitor import Visitor
from tests.services.web.upstream_stub import UpstreamStub

QUESTION = {"question": "why?"}


@pytest.fixture
def signed_in(visitor: Visitor, faq: UpstreamStub) -> Visitor:
    assert visitor.sign_in().status_code == 303
    faq.received.clear()
    return visitor


def test_the_page_and_its_requests_are_served(signed_in: Visitor, faq: UpstreamStub) -> None:
    page = signed_in.get("/")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    token = signed_in.csrf_token()
    answer = signed_in.post("/api/ask", QUESTION, **{"X-CSRF-Token": token})
    assert (answer.status_code, len(faq.received)) == (200, 1)
    assert "cookie" not in {name.lower() for name in faq.received[0].headers}


@pytest.mark.parametrize("path", ["/api/ask", "/api/classify", "/auth/sign-out"])
@pytest.mark.parametrize("token", [None, "", "x" * 43, "\u00e9"])
def test_a_request_without_the_pages_number_changes_nothing(
    signed_in: Visitor, faq: UpstreamStub, path: str, token: str | None
) -> None:
    headers = {} if token is None else {"X-CSRF-Token": token}
    refusal = signed_in.post(path, QUESTION, **headers)
    assert refusal.status_code == 403
    assert faq.received == []
    assert signed_in.get("/api/session").status_code == 200


def test_the_number_of_another_session_does_not_do(
    signed_in: Visitor, provider: HostileProvider
) -> None:
    attacker = Visitor(signed_in.url, provider)
    attacker.sign_in()
    token = {"X-CSRF-Token": attacker.csrf_token()}
    assert signed_in.post("/auth/sign-out", **token).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil"}])
def test_another_sites_request_is_refused_even_with_the_number(
    signed_in: Visitor, headers: dict[str, str]
) -> None:
    token = {"X-CSRF-Token": signed_in.csrf_token()}
    assert signed_in.post("/auth/sign-out", **token, **headers).status_code == 403


def test_signing_out_cannot_be_linked_to(signed_in: Visitor) -> None:
    assert signed_in.get("/auth/sign-out").status_code == 405
    assert signed_in.get("/api/session").status_code == 200


def test_signing_out_ends_the_session_here_and_leads_to_the_provider(
    signed_in: Visitor, provider: HostileProvider
) -> None:
    number = signed_in.cookies["__Host-session"]
    answer = signed_in.post("/auth/sign-out", **{"X-CSRF-Token": signed_in.csrf_token()})
    location = answer.json()["location"]
    assert location.startswith(f"{provider.url}/sign-out?client_id=page&post_logout_redirect_uri=")
    assert "id_token_hint=ey" in location
    assert "__Host-session" not in signed_in.cookies
    signed_in.cookies["__Host-session"] = number
    assert signed_in.get("/api/session").status_code == 401


def test_a_token_that_is_too_long_for_an_address_is_left_out_of_it(
    visitor: Visitor, provider: HostileProvider
) -> None:
    provider.claims = lambda honest: {**honest, "more": "x" * 5000}
    assert visitor.sign_in().status_code == 303
    answer = visitor.post("/auth/sign-out", **{"X-CSRF-Token": visitor.csrf_token()})
    location = answer.json()["location"]
    assert "client_id=page" in location
    assert "id_token_hint" not in location


def test_a_number_that_the_browser_had_before_is_not_taken_over(
    visitor: Visitor, provider: HostileProvider
) -> None:
    """Session fixation."""
    planted = "A" * 43
    visitor.cookies["__Host-session"] = planted
    visitor.sign_in()
    assert visitor.cookies["__Host-session"] != planted
    assert Visitor(visitor.url, provider, {"__Host-session": planted}).get("/").status_code == 303


def test_signing_in_again_changes_the_number_and_ends_the_one_before(
    signed_in: Visitor, provider: HostileProvider
) -> None:
    before = signed_in.cookies["__Host-session"]
    signed_in.sign_in()
    assert signed_in.cookies["__Host-session"] != before
    old = Visitor(signed_in.url, provider, {"__Host-session": before})
    assert old.get("/api/session").status_code == 401


@pytest.mark.parametrize("number", ["", "x", "\u00e9" * 43, "a" * 5000, "%00", '"quoted"'])
def test_a_cookie_that_is_no_number_is_nobody(visitor: Visitor, number: str) -> None:
    visitor.cookies["__Host-session"] = number
    assert visitor.get("/api/session").status_code == 401


def test_who_is_signed_in_stays_so_while_the_provider_is_away(
    signed_in: Visitor, provider: HostileProvider
) -> None:
    for path in ("/token", "/keys", "/.well-known/openid-configuration"):
        provider.instead[path] = Reply(500)
    assert signed_in.get("/").status_code == 200
    again = signed_in.sign_in()
    assert again.status_code == 503
    assert "127.0.0.1, where people sign in, does not answer" in again.text
