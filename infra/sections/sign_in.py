"""Settings of sign-in to the client application."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from infra.sections.base import Network, Secret, Section
from infra.sections.forms import matching

Issuer = Annotated[
    str,
    AfterValidator(
        matching(
            r"https://[A-Za-z0-9.-]{1,253}(/[A-Za-z0-9._~%/-]*)?",
            "an OpenID Connect issuer such as https://accounts.example.org, at port 443",
        )
    ),
]
ClientId = Annotated[
    str, AfterValidator(matching(r"[!-~]{1,255}", "an id of 1 to 255 characters without spaces"))
]
ClaimValue = Annotated[
    str, AfterValidator(matching(r"[^\s].{0,199}", "a text of at most 200 characters"))
]
Scopes = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?=(.* )?openid( .*)?$)[!-~]+( [!-~]+)*",
            "scopes with a space between them, openid among them",
        )
    ),
]


class SignInSettings(Section):
    """Who signs people in to the client application, and whom it is for."""

    issuer: Issuer | None = Field(
        default=None, description="OpenID Connect provider; by default Entra ID, with tenant_id"
    )
    client_id: ClientId = Field(
        description="id under which the provider knows the page, such as that of an app registration"
    )
    client_secret: Secret | None = Field(
        default=None,
        description="secret of that client; without one the pods' own tokens stand for it "
        "(workload identity federation, with Entra alone); set it with `pulumi config set --secret`",
    )
    groups: tuple[ClaimValue, ...] = Field(
        default=(), max_length=50,
        description="the page is for members of these groups; in Entra their object ids",
    )  # fmt: skip
    roles: tuple[ClaimValue, ...] = Field(
        default=(), max_length=50, description="the page is for holders of these app roles too"
    )
    everyone: bool = Field(
        default=False, description="the page is for everybody whom the provider signs in"
    )
    groups_claim: ClaimValue = Field(
        default="groups", description="claim of the ID token that holds a person's groups"
    )
    scopes: Scopes = Field(
        default="openid profile",
        description="scopes that are asked for; some providers want groups among them",
    )
    idle_minutes: int = Field(
        default=60, ge=1, le=1440, description="a session ends when it was not used for so long"
    )
    hours: int = Field(
        default=10, ge=1, le=168, description="a session ends so long after the sign-in"
    )
    provider_networks: tuple[Network, ...] = Field(
        default=(), max_length=50,
        description="addresses at which the pods reach the provider; by default all public ones",
    )  # fmt: skip
