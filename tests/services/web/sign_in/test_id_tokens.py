"""Which ID tokens let somebody in: a good one, and no other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from services.web.sign_in.id_token import IdTokenReader
from services.web.sign_in.provider import Provider
from services.web.sign_in.provider_http import ProviderHttp
from tests.services.web.sign_in.conftest import CLIENT_SECRET, LEEWAY_SECONDS
from tests.services.web.sign_in.hostile_provider import (
    KEY,
    NEXT_KEY,
    STRANGERS_KEY,
    Claims,
    HostileProvider,
    signed,
    signed_with_public_key,
    unsigned,
)
from tests.services.web.sign_in.visitor import Visitor

INSIDE, OUTSIDE = LEEWAY_SECONDS - 20, LEEWAY_SECONDS + 20
MISSING = object()


def changed(**changes: Any) -> Callable[[Claims], Claims]:
    """Honest claims, but for these."""
    return lambda claims: {
        name: value for name, value in {**claims, **changes}.items() if value is not MISSING
    }


def later(claim: str, seconds: float) -> Callable[[Claims], Claims]:
    """A time claim so many seconds from now."""
    return lambda claims: {**claims, claim: int(time.time() + seconds)}


def test_a_good_token_lets_in(visitor: Visitor) -> None:
    response = visitor.sign_in()
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert visitor.get("/api/session").json()["name"] == "Grace Hopper"


@pytest.mark.parametrize(
    "claims",
    [
        later("exp", -INSIDE), later("iat", INSIDE), later("nbf", INSIDE),
        changed(aud=["page"]), changed(aud=["page", "other"], azp="page"),
    ],
    ids=["expired a little", "issued soon", "valid soon", "one of one", "one of two"],
)  # fmt: skip
def test_a_token_within_the_clocks_bounds_lets_in(
    visitor: Visitor, claims: Callable[[Claims], Claims]
) -> None:
    visitor.provider.claims = claims
    assert visitor.sign_in().status_code == 303


WRONG = {
    "expired": later("exp", -OUTSIDE),
    "issued later": later("iat", OUTSIDE),
    "valid later": later("nbf", OUTSIDE),
    "no expiry": changed(exp=MISSING),
    "no time of issue": changed(iat=MISSING),
    "expiry is text": changed(exp="tomorrow"),
    "expiry is not finite": changed(exp=float("inf")),
    "other issuer": changed(iss="https://evil.example"),
    "issuer with a slash": lambda claims: {**claims, "iss": claims["iss"] + "/"},
    "no issuer": changed(iss=MISSING),
    "other audience": changed(aud="another page"),
    "others' audience": changed(aud=["another", "page"]),
    "others' audience, and this party": changed(aud="another page", azp="page"),
    "others' audiences, and this party": changed(aud=["another", "third"], azp="page"),
    "audience is a number": changed(aud=1),
    "no audience": changed(aud=MISSING),
    "for another party": changed(azp="another page"),
    "other nonce": changed(nonce="of an earlier sign-in"),
    "no nonce": changed(nonce=MISSING),
    "no subject": changed(sub=MISSING),
    "subject is a list": changed(sub=["a"]),
    "other access token": changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_wrong_claim_keeps_out(visitor: Visitor, claims: Callable[[Claims], Claims]) -> None:
    visitor.provider.claims = claims
    keeps_out(visitor)


def tampered(claims: Claims) -> str:
    """Another payload under the same signature."""
    header, _, signature = signed(claims, KEY).split(".")
    _, payload, _ = signed({**claims, "sub": "admin"}, KEY).split(".")
    return f"{header}.{payload}.{signature}"


FORGED: dict[str, Callable[[Claims], str]] = {
    "a stranger's key": lambda claims: signed(claims, STRANGERS_KEY),
    "a stranger's key in the header": lambda claims: signed(
        claims, STRANGERS_KEY, jwk=STRANGERS_KEY.as_dict(private=False)
    ),
    "an unknown key": lambda claims: signed(claims, NEXT_KEY),
    "no signature": unsigned,
    "the public key as a secret": signed_with_public_key,
    "tampered": tampered,
    "cut": lambda claims: signed(claims, KEY)[:-20],
    "two parts": lambda claims: signed(claims, KEY).rpartition(".")[0],
    "five parts": lambda claims: "a.b.c.d.e",
    "junk": lambda claims: "\u00e9.\u00e9.\u00e9",
    "empty": lambda claims: "",
    "huge": lambda claims: signed({**claims, "more": "x" * 70_000}, KEY),
}


@pytest.mark.parametrize("sign", FORGED.values(), ids=FORGED)
def test_a_forged_token_keeps_out(visitor: Visitor, sign: Callable[[Claims], str]) -> None:
    visitor.provider.sign = sign
    keeps_out(visitor)


def keeps_out(visitor: Visitor) -> None:
    response = visitor.sign_in()
    assert response.status_code == 403
    assert "You could not be signed in" in response.text
    assert "__Host-session" not in visitor.cookies
    assert visitor.get("/api/session").status_code == 401


def test_groups_are_those_of_the_claim_that_is_set(provider: HostileProvider) -> None:
    """Some providers call it otherwise, and may let people fill in a claim `groups` themselves."""
    claims = provider.honest_claims({"client_id": "page", "nonce": "n"})
    token = signed({**claims, "groups": ["their own"], "teams": ["scorers"]}, KEY)
    asked = Provider(provider.url, ProviderHttp(), key_refresh_seconds=1)
    person = IdTokenReader(asked, "page", 60, "teams").read(token, nonce="n", access_token=None)
    assert person.groups == {"scorers"}


def test_a_new_key_is_fetched_and_an_old_one_is_forgotten(
    visitor: Visitor, provider: HostileProvider
) -> None:
    assert visitor.sign_in().status_code == 303
    time.sleep(1.1)  # --key-refresh-seconds
    provider.keys = [NEXT_KEY]
    provider.sign = lambda claims: signed(claims, NEXT_KEY)
    assert visitor.sign_in().status_code == 303
    provider.sign = lambda claims: signed(claims, KEY)
    keeps_out(Visitor(visitor.url, provider))
    time.sleep(1.1)
    provider.keys = [KEY]
    assert visitor.sign_in().status_code == 303


def test_invented_keys_do_not_become_a_flood_of_requests(
    visitor: Visitor, provider: HostileProvider
) -> None:
    time.sleep(1.1)
    provider.sign = lambda claims: signed(claims, NEXT_KEY)
    began = time.monotonic()
    for _ in range(5):
        assert visitor.sign_in().status_code == 403
    most = 1 + int(time.monotonic() - began)
    assert 1 <= provider.asked.count("/keys") <= most


def test_the_token_endpoint_gets_the_secret_and_the_verifier_of_this_sign_in(
    visitor: Visitor, provider: HostileProvider
) -> None:
    request = visitor.begin()
    assert request["endpoint"] == f"{provider.url}/authorise"
    assert request["code_challenge_method"] == "S256"
    visitor.come_back(request)
    (form,) = provider.forms
    assert form["client_secret"] == CLIENT_SECRET
    assert len(form["code_verifier"]) >= 43
    assert form["code_verifier"] not in str(request)
    assert form["redirect_uri"] == f"{visitor.url}/auth/callback"
