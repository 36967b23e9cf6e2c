"""The settings of sign-in: who signs people in, whom the page is for, how long a session lasts."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from services.serving.settings import ServerSettings
from services.web.addresses import plain_address, secure_address

ENTRA = "https://login.microsoftonline.com"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class SignInSettings(ServerSettings):
    """What sign-in needs; with none of it, everybody on this machine may use the page."""

    public_url: str = Field(
        "", description="address at which people open the page, such as https://scoring.example.org"
    )
    sign_in_tenant: str = Field(
        "", description="Entra tenant that signs people in, by its GUID; or sign_in_issuer"
    )
    sign_in_issuer: str = Field(
        "", description="any OpenID Connect provider, by the issuer that its discovery names"
    )
    sign_in_client_id: str = Field(
        "", max_length=255, description="id under which the provider knows this page"
    )
    sign_in_client_secret_file: Path | None = Field(
        None, description="file with the client secret and nothing else, read at every sign-in"
    )
    sign_in_client_assertion_file: Path | None = Field(
        None,
        description="file with a token that stands for the client secret (workload identity "
        "federation), read at every sign-in",
    )
    sign_in_scopes: str = Field(
        "openid profile",
        description="scopes that are asked for; some providers want groups among them",
    )
    sign_in_groups: tuple[str, ...] = Field(
        (), description="the page is for members of these groups, by what the claim holds"
    )
    sign_in_groups_claim: str = Field(
        "groups", min_length=1, max_length=200, description="claim that holds a person's groups"
    )
    sign_in_roles: tuple[str, ...] = Field(
        (), description="the page is for holders of these roles too, by the claim roles"
    )
    sign_in_everyone: bool = Field(
        False, description="the page is for everybody whom the provider signs in"
    )
    open_to_network: bool = Field(
        False,
        description="listen on other addresses than loopback without sign-in; for a container "
        "whose port is published on a loopback address alone",
    )
    session_idle_minutes: float = Field(
        60.0, gt=0, le=1440, description="a session ends when it was not used for so long"
    )
    session_hours: float = Field(
        10.0, gt=0, le=168, description="a session ends so long after the sign-in, used or not"
    )
    max_sessions: int = Field(
        10_000, ge=1, le=1_000_000,
        description="most sessions at once; then those that were not used for the longest end",
    )  # fmt: skip
    clock_skew_seconds: int = Field(
        60, ge=0, le=300, description="how far the provider's clock may be from this one"
    )
    key_refresh_seconds: float = Field(
        30.0, ge=1, le=3600,
        description="shortest time between two requests for the provider's keys, however many "
        "tokens name one that is unknown",
    )  # fmt: skip

    @property
    def signs_in(self) -> bool:
        """Whether people sign in."""
        return bool(self.sign_in_issuer or self.sign_in_tenant or self.sign_in_client_id)

    @property
    def issuer(self) -> str:
        """The provider, as its tokens must name it."""
        if self.sign_in_tenant:
            return f"{ENTRA}/{self.sign_in_tenant}/v2.0"
        return self.sign_in_issuer

    @field_validator("sign_in_issuer")
    @classmethod
    def is_secure(cls, url: str) -> str:
        """Take an https address, or one of this machine; letter by letter, as tokens repeat it."""
        if url:
            plain_address(url)
            secure_address(url)
        return url

    @field_validator("public_url")
    @classmethod
    def is_origin(cls, url: str) -> str:
        """Take an address without a path: the cookies' names promise that they are for all of it."""
        if not url:
            return url
        origin = plain_address(url)
        if origin.count("/") != 2:
            raise ValueError("must not have a path")
        return secure_address(origin)

    @field_validator("sign_in_tenant")
    @classmethod
    def is_one_tenant(cls, tenant: str) -> str:
        """Refuse Entra's shared endpoints, behind which any tenant's people can sign in."""
        if tenant and not GUID.fullmatch(tenant):
            raise ValueError("must be the GUID of one tenant, not common or organizations")
        return tenant.lower()

    @model_validator(mode="after")
    def sign_in_is_whole(self) -> SignInSettings:
        """Sign-in that is half set up is a mistake, not a page that is open."""
        if not self.signs_in:
            return self._refuse_lone_settings()
        if self.sign_in_issuer and self.sign_in_tenant:
            raise ValueError("sign_in_issuer and sign_in_tenant exclude each other")
        missing = [
            name
            for name, given in (
                ("sign_in_tenant or sign_in_issuer", self.issuer),
                ("sign_in_client_id", self.sign_in_client_id),
                ("public_url", self.public_url),
                (
                    "sign_in_groups, sign_in_roles or sign_in_everyone",
                    self.sign_in_groups or self.sign_in_roles or self.sign_in_everyone,
                ),
            )
            if not given
        ]
        if missing:
            raise ValueError(f"sign-in is set up by half: {', '.join(missing)} is missing")
        if self.sign_in_everyone and (self.sign_in_groups or self.sign_in_roles):
            raise ValueError("sign_in_everyone excludes sign_in_groups and sign_in_roles")
        if self.sign_in_client_secret_file and self.sign_in_client_assertion_file:
            raise ValueError(
                "sign_in_client_secret_file and sign_in_client_assertion_file exclude each other"
            )
        if "openid" not in self.sign_in_scopes.split():
            raise ValueError("sign_in_scopes must have openid among them")
        if self.open_to_network:
            raise ValueError("open_to_network is for a page without sign-in")
        return self

    def _refuse_lone_settings(self) -> SignInSettings:
        if self.sign_in_groups or self.sign_in_roles or self.sign_in_everyone:
            raise ValueError(
                "sign-in is set up by half: sign_in_tenant or sign_in_issuer, and "
                "sign_in_client_id, are missing"
            )
        if not self.is_loopback and not self.open_to_network:
            raise ValueError(
                f"sign-in must be set up (sign_in_tenant or sign_in_issuer) to listen on "
                f"{self.host}; without it the page is open, on a loopback address alone"
            )
        return self
