"""Refusing what pages of other sites make a browser send.

A browser says with every POST where it comes from: ``Sec-Fetch-Site`` and ``Origin``. Programs
that send neither cannot be tricked by a page, and pass.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request

from services.serving.problem import Problem


def refuse_other_origins(request: Request) -> None:
    """Raise a :class:`Problem` of status 403 for a POST that another site's page has sent."""
    if request.method != "POST":
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site != "same-origin" or (origin is not None and _host(origin) != request.host.lower()):
        raise Problem(403, "This can only be used from its own page.", reason="other origin")


def _host(origin: str) -> str | None:
    """Host and port of an origin; None for an opaque one (``null``) or nonsense."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
