"""Beginning and ending a sign-in: what belongs together, once, and for whom the page is."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from services.launch import LaunchedService
from services.web.metrics import SIGN_IN_OUTCOMES
from tests.services.web.sign_in.conftest import CLIENT_SECRET
from tests.services.web.sign_in.hostile_provider import HostileProvider, Reply
from tests.services.web.sign_in.visitor import Visitor


def test_strangers_see_nothing_but_the_way_in(visitor: Visitor) -> None:
    page = visitor.get("/")
    assert (page.status_code, page.headers["Location"]) == (303, "/auth/sign-in")
    for path in ("/api/session", "/api/examples"):
        assert visitor.get(path).status_code == 401
    for path in ("/api/ask", "/api/classify", "/auth/sign-out"):
        refusal = visitor.post(path)
        assert refusal.status_code == 401
        assert refusal.headers["Content-Type"] == "application/problem+json"
    for path in ("/livez", "/readyz", "/static/theme.css"):
        assert visitor.get(path).status_code == 200


def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(visitor: Visitor) -> None:
    visitor.sign_in()
    assert set(visitor.set_cookies) == {"__Host-session", "__Host-sign-in"}
    for cookie in visitor.set_cookies.values():
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert visitor.set_cookies["__Host-session"]["max-age"] == ""


def test_state_nonce_and_challenge_are_new_each_time(visitor: Visitor) -> None:
    first, second = visitor.begin(), visitor.begin()
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_the_challenge_is_that_of_the_verifier(visitor: Visitor, provider: HostileProvider) -> None:
    """RFC 7636, section 4.2: what the provider compares is the hash of what is sent with the code."""
    request = visitor.begin()
    visitor.come_back(request)
    digest = hashlib.sha256(provider.forms[-1]["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (request["code_challenge"], request["code_challenge_method"]) == (challenge, "S256")


def test_the_browsers_number_is_the_servers_own_and_of_one_browser(
    visitor: Visitor, provider: HostileProvider
) -> None:
    """A number that somebody planted, or that all share, would bind an answer to no browser."""
    other = Visitor(visitor.url, provider, {"__Host-sign-in": "planted"})
    numbers = []
    for each in (visitor, other):
        each.begin()
        numbers.append(each.cookies["__Host-sign-in"])
    assert len(numbers[0]) == len(numbers[1]) == 43
    assert numbers[0] != numbers[1]
    assert visitor.set_cookies["__Host-sign-in"]["max-age"] == "600"


def test_every_address_is_the_pages_own_whatever_the_request_says(
    visitor: Visitor, provider: HostileProvider
) -> None:
    """Neither a Host header nor a parameter leads a browser, or a code, to another place."""
    there = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    strangers = visitor.get("/", **there)
    assert strangers.headers["Location"] == "/auth/sign-in"
    away = "next=https://evil.example&return_to=//evil.example&redirect_uri=https://evil.example"
    begun = visitor.get(f"/auth/sign-in?{away}", **there).headers["Location"]
    assert begun.startswith(f"{provider.url}/authorise?")
    assert "evil.example" not in begun
    request = dict(parse_qsl(urlsplit(begun).query))
    assert request["redirect_uri"] == f"{visitor.url}/auth/callback"
    provider.requests["code"] = request
    back = visitor.get(f"/auth/callback?state={request['state']}&code=code&{away}", **there)
    assert (back.status_code, back.headers["Location"]) == (303, "/")
    assert provider.forms[-1]["redirect_uri"] == f"{visitor.url}/auth/callback"
    token = {"X-CSRF-Token": visitor.csrf_token()}
    ended = visitor.post(f"/auth/sign-out?{away}", **there, **token).json()["location"]
    assert ended.startswith(f"{provider.url}/sign-out?")
    assert "evil.example" not in ended


def test_two_tabs_can_sign_in_at_once(visitor: Visitor) -> None:
    first, second = visitor.begin(), visitor.begin()
    assert visitor.come_back(first).status_code == 303
    assert visitor.come_back(second).status_code == 303


def test_an_answer_is_taken_once(visitor: Visitor, provider: HostileProvider) -> None:
    request = visitor.begin()
    assert visitor.come_back(request).status_code == 303
    again = visitor.come_back(request)
    assert again.status_code == 400
    assert "This sign-in is over" in again.text
    assert provider.asked.count("/token") == 1


def test_an_answer_in_another_browser_is_not_taken_and_spends_the_state(
    visitor: Visitor, provider: HostileProvider
) -> None:
    """Login CSRF: a link with the attacker's own code."""
    request = visitor.begin()
    victim = Visitor(visitor.url, provider)
    assert victim.come_back(request).status_code == 400
    victim.begin()
    assert victim.come_back(request).status_code == 400
    assert visitor.come_back(request).status_code == 400
    assert "/token" not in provider.asked


def test_who_keeps_no_cookies_is_told_so(visitor: Visitor) -> None:
    request = visitor.begin()
    visitor.cookies.clear()
    again = visitor.come_back(request)
    assert (again.status_code, "keeps no cookies" in again.text) == (400, True)


@pytest.mark.parametrize(
    "query", ["", "?code=a", "?state=", "?state=a&state=b&code=c", "?state=" + "s" * 9000, "?%FF"]
)
def test_an_answer_to_nothing_is_not_taken(visitor: Visitor, query: str) -> None:
    visitor.begin()
    assert visitor.get(f"/auth/callback{query}").status_code == 400


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("state={state}&state={state}&code=c", 400),
        ("state={state}&code=c&code=d", 502),
        ("state={state}&code=" + "c" * 9000, 502),
        ("state={state}&code=c&error=access_denied", 403),
    ],
    ids=["two states", "two codes", "a long code", "a code and an error"],
)
def test_an_answer_that_contradicts_itself_is_not_taken(
    visitor: Visitor, provider: HostileProvider, answer: str, status: int
) -> None:
    """RFC 6749, section 3.1: no parameter stands twice."""
    state = visitor.begin()["state"]
    response = visitor.get(f"/auth/callback?{answer.format(state=state)}")
    assert response.status_code == status
    assert "/token" not in provider.asked


def test_an_answer_that_names_another_issuer_is_not_taken(
    visitor: Visitor, provider: HostileProvider
) -> None:
    """The mix-up attack (RFC 9207)."""
    refused = visitor.come_back(visitor.begin(), iss="https://evil.example")
    assert refused.status_code == 403
    assert "/token" not in provider.asked
    assert visitor.come_back(visitor.begin(), iss=provider.url).status_code == 303


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        ("access_denied", 403, "You did not sign in"),
        ("server_error", 503, "Nobody can sign in just now"),
        ("invalid_scope", 502, "does not accept this application"),
        ("<script>", 502, "does not accept this application"),
    ],
)
def test_a_refusal_of_the_provider_is_told_in_the_pages_own_words(
    visitor: Visitor, error: str, status: int, says: str
) -> None:
    response = visitor.come_back(
        visitor.begin(), code="", error=error, error_description="<script>alert(1)</script>"
    )
    assert (response.status_code, says in response.text) == (status, True)
    assert "script" not in response.text


@pytest.mark.parametrize(
    ("claims", "is_let_in"),
    [
        ({"groups": ["scorers"]}, True),
        ({"groups": ["others", "scorers"]}, True),
        ({"groups": "scorers"}, True),
        ({"groups": [], "roles": ["Page.Use"]}, True),
        ({"groups": []}, False),
        ({"groups": ["Scorers", "scorers "]}, False),
        ({"groups": {"scorers": True}}, False),
        ({"groups": [["scorers"]]}, False),
        ({"groups": ["Page.Use"], "roles": ["scorers"]}, False),
        ({"groups": None}, False),
    ],
)
def test_the_page_is_for_its_groups_and_roles_alone(
    visitor: Visitor, claims: dict[str, Any], is_let_in: bool
) -> None:
    visitor.provider.claims = lambda honest: {**honest, **claims}
    response = visitor.sign_in()
    assert response.status_code == (303 if is_let_in else 403)
    if not is_let_in:
        assert "signed in as Grace Hopper, who is in none of the groups" in response.text
        assert "__Host-session" not in visitor.cookies


def test_who_is_in_too_many_groups_for_a_token_learns_why(visitor: Visitor) -> None:
    """Entra's groups overage."""
    overage = {"_claim_names": {"groups": "src1"}, "groups": None}
    visitor.provider.claims = lambda honest: {**honest, **overage}
    assert "more groups than the provider tells" in visitor.sign_in().text


def test_a_name_is_text(visitor: Visitor) -> None:
    visitor.provider.claims = lambda honest: {**honest, "groups": [], "name": "<b>" + "x" * 5000}
    text = visitor.sign_in().text
    assert "&lt;b&gt;xxx" in text
    assert "<b>" not in text
    assert "x" * 101 not in text


def test_another_account_can_be_asked_for(visitor: Visitor) -> None:
    assert "prompt" not in visitor.begin()
    assert visitor.begin("/auth/sign-in?account=another")["prompt"] == "login"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(400, b'{"error": "invalid_grant", "error_description": "secret words"}'), 400),
        (Reply(401, b'{"error": "invalid_client"}'), 502),
        (Reply(400, b'{"error": "invalid_request"}'), 502),
        (Reply(400, b'{"error": "<script>"}'), 502),
        (Reply(500, b"{}"), 503),
        (Reply(200, b"<html>"), 503),
        (Reply(200, b"[]"), 503),
        (Reply(200, b"{}"), 403),
        (Reply(200, b'{"id_token": 7}'), 403),
        (Reply(302, b"{}", {"Location": "http://127.0.0.1:9/"}), 503),
        (Reply(200, b'{"id_token": "' + b"x" * 600_000 + b'"}'), 503),
        (Reply(200, b"[" * 100_000), 503),
    ],
)
def test_a_bad_answer_to_the_code_is_a_page_and_no_fault(
    visitor: Visitor, page: LaunchedService, provider: HostileProvider, reply: Reply, status: int
) -> None:
    provider.instead["/token"] = reply
    response = visitor.sign_in()
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert not re.search(r"secret words|<script|Traceback", response.text + page.log.read_text())


def test_pages_of_sign_in_have_the_security_headers_and_are_not_kept(visitor: Visitor) -> None:
    for response in (visitor.get("/auth/signed-out"), visitor.get("/auth/callback")):
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_nobody_who_signs_in_brings_about_what_an_alert_reads(
    visitor: Visitor, page: LaunchedService, provider: HostileProvider
) -> None:
    """Three of these by a stranger would call somebody at night."""

    def faults() -> list[str]:
        text = httpx.get(f"{page.metrics_url}/metrics").text
        of = [f'web_sign_ins_total{{outcome="{each}"}}' for each in SIGN_IN_OUTCOMES[1:]]
        return [line for line in text.splitlines() if line.startswith(tuple(of))]

    before = faults()
    visitor.come_back(visitor.begin(), code="", error="server_error")
    provider.instead["/token"] = Reply(400, b'{"error": "invalid_grant"}')
    visitor.come_back(visitor.begin())
    assert len(before) == 3
    assert faults() == before


def test_neither_log_nor_metrics_hold_who_signed_in(
    visitor: Visitor, page: LaunchedService, provider: HostileProvider
) -> None:
    tokens: list[str] = []
    sign = provider.sign
    provider.sign = lambda claims: tokens.append(sign(claims)) or tokens[-1]
    request = visitor.begin()
    visitor.come_back(request)
    provider.claims = lambda honest: {**honest, "iss": "https://other.example"}
    Visitor(visitor.url, provider).sign_in()
    text = page.log.read_text() + httpx.get(f"{page.metrics_url}/metrics").text
    assert '"outcome": "signed in"' in text
    assert 'web_sign_ins_total{outcome="token refused"}' in text
    assert re.search(r"web_sessions [1-9]", text)
    forbidden = [
        *tokens, *visitor.cookies.values(), request["state"], request["nonce"], CLIENT_SECRET,
        "Grace", "subject-of", "scorers", "code-1", "other.example", "Traceback",
    ]  # fmt: skip
    assert [each for each in forbidden if each in text] == []
