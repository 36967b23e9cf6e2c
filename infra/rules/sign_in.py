"""Rules of sign-in to the client application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.mistakes import Mistake

if TYPE_CHECKING:
    from infra.settings import Settings

Mistakes = Iterator[Mistake]


def sign_in(settings: Settings) -> Mistakes:
    """A page that the Internet reaches knows its people."""
    if not (settings.web.enabled and settings.has_services):
        return
    sign_in = settings.web.sign_in
    if sign_in is None:
        yield Mistake(
            "web.sign_in", "is missing", "client_id, and groups, roles or everyone: docs/sign-in.md",
            ("web.enabled",),
        )  # fmt: skip
        return
    whom = ("web.sign_in.groups", "web.sign_in.roles")
    chosen = bool(sign_in.groups or sign_in.roles)
    if not chosen and not sign_in.everyone:
        yield Mistake("web.sign_in.groups", "is missing", "groups, roles, or everyone: true", whom)
    if chosen and sign_in.everyone:
        yield Mistake("web.sign_in.everyone", "is true beside groups or roles", "one of both", whom)
    if sign_in.issuer is not None and sign_in.client_secret is None:
        yield Mistake(
            "web.sign_in.client_secret", "is missing, and the issuer is not Entra of tenant_id",
            "`pulumi config set --secret --path web.sign_in.client_secret`", ("web.sign_in.issuer",),
        )  # fmt: skip


def local_page(settings: Settings) -> Mistakes:
    """On this machine the page is open, to this machine alone."""
    if settings.web.enabled and settings.web.sign_in is not None:
        yield Mistake(
            "web.sign_in", "is set in a local stack, whose page this machine alone reaches",
            "leave it out", ("layers",),
        )  # fmt: skip
