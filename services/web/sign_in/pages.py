"""The few pages of sign-in that are no part of the client application: plain HTML, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from flask import Response, g

_PAGE = Template("""<!doctype html>
<html lang="en-GB">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>$title · Realtime scoring</title>
    <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/static/theme.css">
    <link rel="stylesheet" href="/static/page.css">
    <link rel="stylesheet" href="/static/account.css">
  </head>
  <body>
    <main class="notice-page">
      <h1 class="lead">$title</h1>
$paragraphs
      <p class="ways">$links</p>
      <p class="small">Reference $reference</p>
    </main>
  </body>
</html>
""")


@dataclass(frozen=True)
class Link:
    """A way on."""

    text: str
    path: str


SIGN_IN = Link("Sign in", "/auth/sign-in")
AGAIN = Link("Try again", "/auth/sign-in")
ANOTHER_ACCOUNT = Link("Use another account", "/auth/sign-in?account=another")


def page(status: int, title: str, paragraphs: Sequence[str], links: Sequence[Link]) -> Response:
    """A page that says what is the matter and what to do; every text goes in as text."""
    content = _PAGE.substitute(
        title=escape(title),
        paragraphs="\n".join(f'      <p class="hint">{escape(each)}</p>' for each in paragraphs),
        links=" ".join(
            f'<a class="{kind}" href="{escape(link.path)}">{escape(link.text)}</a>'
            for link, kind in zip(links, ("primary", "secondary"), strict=False)
        ),
        reference=escape(g.request_id),
    )
    return Response(content, status=status, mimetype="text/html")


def signed_out(*, at_the_provider: bool) -> Response:
    """After signing out."""
    more = (
        "To use another account on this machine, sign out at the provider too."
        if not at_the_provider
        else "The page is closed until somebody signs in."
    )
    return page(200, "You are signed out", [more], [SIGN_IN])


def provider_away(host: str) -> Response:
    """The provider does not answer."""
    text = f"{host}, where people sign in, does not answer as it should. Try again in a minute."
    return page(503, "Nobody can sign in just now", [text], [AGAIN])


def too_late() -> Response:
    """An answer that no sign-in waits for."""
    text = (
        "It took longer than ten minutes, was used already, or began in another browser; "
        "or this browser keeps no cookies for this page."
    )
    return page(400, "This sign-in is over", [text], [AGAIN])


def declined() -> Response:
    """The person did not agree, or the provider did not."""
    text = "The page needs to know who you are, and for that your consent. You are not signed in."
    return page(403, "You did not sign in", [text], [AGAIN])


def refused() -> Response:
    """What the provider said does not prove who the person is."""
    text = (
        "The answer of the provider could not be trusted. If it happens again, tell the operator."
    )
    return page(403, "You could not be signed in", [text], [AGAIN])


def misconfigured() -> Response:
    """The provider does not take this application."""
    text = "The provider does not accept this application. Tell the operator; the log has more."
    return page(502, "You could not be signed in", [text], [AGAIN])


def not_for_you(name: str, *, has_too_many_groups: bool) -> Response:
    """Signed in, and in none of the groups."""
    who = f"You are signed in as {name}, who" if name else "You are signed in, and your account"
    paragraphs = [f"{who} is in none of the groups that may use this page. Ask the operator."]
    if has_too_many_groups:
        paragraphs.append(
            "This account is in more groups than the provider tells. The operator can use roles."
        )
    return page(403, "This page is not for this account", paragraphs, [ANOTHER_ACCOUNT])
