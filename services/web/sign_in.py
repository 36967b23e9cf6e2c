"""Who uses the page."""

from __future__ import annotations

from flask import Request


def signed_in_user(request: Request) -> str | None:  # noqa: ARG001 - what sign-in will read
    """The name of the person who sent ``request``; None, because the page asks nobody to sign in.

    The one place where sign-in is decided: it runs before every request, and a
    :class:`~services.serving.problem.Problem` raised here refuses the request.
    """
    return None
