"""Reading an ID token: who signed in, if everything about it is right.

OpenID Connect Core 1.0, section 3.1.3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    InvalidKeyIdError,
    JoseError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from services.web.sign_in.provider import Provider

LONGEST_TOKEN = 64 << 10
LONGEST_NAME = 100
MOST_VALUES = 10_000


class TokenRefused(Exception):
    """An ID token that proves nothing; the message is a word for the log, never a claim's value."""


@dataclass(frozen=True)
class Person:
    """Who signed in, by the provider's word.

    Attributes:
        subject: the provider's unchanging name for the account.
        name: as people know it; for the screen only.
        groups: what the claim of groups holds.
        roles: what the claim ``roles`` holds.
        has_too_many_groups: Entra says that there are more groups than a token holds.
    """

    subject: str
    name: str
    groups: frozenset[str]
    roles: frozenset[str]
    has_too_many_groups: bool


@dataclass(frozen=True)
class IdTokenReader:
    """What ID tokens are held against.

    Attributes:
        provider: who must have signed them.
        client_id: whom they must be for.
        leeway_seconds: how far clocks may be apart.
        groups_claim: which claim holds groups.
    """

    provider: Provider
    client_id: str
    leeway_seconds: int
    groups_claim: str

    def read(self, token: str, *, nonce: str, access_token: str | None) -> Person:
        """The person in ``token``.

        Args:
            nonce: that of the request which the token answers.
            access_token: the one that came along, which a hash in the token may name.

        Raises:
            TokenRefused: the token is forged, expired, for somebody else, or of another request.
            ProviderFailed: the provider's keys cannot be had.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("too long")
        header, claims = self._verified(token)
        parameters: dict[str, Any] = {"nonce": nonce, "client_id": self.client_id}
        if access_token:
            parameters["access_token"] = access_token
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "sub": {"essential": True},
        }
        try:
            CodeIDToken(claims, header, options, parameters).validate(leeway=self.leeway_seconds)
        except ClaimError as error:
            raise TokenRefused(f"claim {_claim_of(error)}: {type(error).__name__}") from None
        except (JoseError, TypeError, ValueError) as error:
            raise TokenRefused(type(error).__name__) from None
        return self._person(claims)

    def _verified(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Header and claims, once the signature is the provider's."""
        try:
            return self._decode(token, self.provider.keys())
        except (InvalidKeyIdError, BadSignatureError):
            # The provider may have changed its keys since.
            try:
                return self._decode(token, self.provider.newer_keys())
            except (InvalidKeyIdError, BadSignatureError) as error:
                raise TokenRefused(type(error).__name__) from None

    def _decode(self, token: str, keys: KeySet) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        algorithms = self.provider.metadata().algorithms
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        try:
            decoded = jwt.decode(token, keys, algorithms=algorithms, registry=registry)
        except (InvalidKeyIdError, BadSignatureError):
            raise
        except (JoseError, TypeError, ValueError, KeyError, RecursionError) as error:
            raise TokenRefused(type(error).__name__) from None
        return decoded.header, decoded.claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        names = (claims.get(key) for key in ("name", "preferred_username", "email"))
        name = next((each for each in names if isinstance(each, str) and each.strip()), "")
        elsewhere = claims.get("_claim_names")
        too_many = isinstance(elsewhere, Mapping) and self.groups_claim in elsewhere
        return Person(
            subject=str(claims["sub"]),
            name=name.strip()[:LONGEST_NAME],
            groups=_texts(claims.get(self.groups_claim)),
            roles=_texts(claims.get("roles")),
            # learn.microsoft.com/entra/identity-platform/id-token-claims-reference, "groups overage"
            has_too_many_groups=too_many or claims.get("hasgroups") is True,
        )


def _texts(value: object) -> frozenset[str]:
    """A claim of many values, or of one."""
    if isinstance(value, str):
        return frozenset({value})
    if not isinstance(value, list):
        return frozenset()
    values = cast("list[object]", value)[:MOST_VALUES]
    return frozenset(each for each in values if isinstance(each, str))


def _claim_of(error: ClaimError) -> str:
    """The claim's name, if it is one that this program asks about."""
    known = (
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "nonce",
        "azp",
        "at_hash",
        "auth_time",
        "amr",
    )
    return error.claim if error.claim in known else "other"
