"""Sign-in as the Flask application has it: its paths, its cookies, and who gets through."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Callable

from flask import Flask, Response, g, request

from services.serving.problem import Problem
from services.serving.responses import json_response
from services.web.metrics import WebMetrics
from services.web.sign_in import pages
from services.web.sign_in.authorisation import Authorisation, CodeRefused, SignedIn, host_of
from services.web.sign_in.id_token import Person, TokenRefused
from services.web.sign_in.pending import LONGEST_SECONDS, PendingSignIn, PendingSignIns
from services.web.sign_in.provider import Provider
from services.web.sign_in.provider_http import ProviderFailed, ProviderHttp
from services.web.sign_in.sessions import Session, Sessions
from services.web.sign_in.settings import SignInSettings

SESSION_COOKIE = "__Host-session"
BROWSER_COOKIE = "__Host-sign-in"
"""`__Host-`: the browser takes them for this host alone, with Secure and for every path."""
CSRF_HEADER = "X-CSRF-Token"
NUMBER = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_PARAMETER = 8192
OPEN_ENDPOINTS = frozenset({"static", "livez", "readyz"})
PREFIX = "sign_in."

log = logging.getLogger("sign-in")


class Gatekeeper:
    """Lets through who is signed in, and signs people in and out."""

    def __init__(self, settings: SignInSettings, metrics: WebMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        http = ProviderHttp()
        provider = Provider(settings.issuer, http, settings.key_refresh_seconds)
        self._authorisation = Authorisation(settings, http, provider)
        self._pending = PendingSignIns()
        self._sessions = Sessions(
            settings.max_sessions, settings.session_idle_minutes * 60, settings.session_hours * 3600
        )
        metrics.sessions.set_function(lambda: len(self._sessions))

    def add_paths(self, app: Flask) -> None:
        """The paths of sign-in; all but the last two are for people who are not signed in."""
        rules: list[tuple[str, str, Callable[[], Response], str]] = [
            ("/auth/sign-in", "begin", self._begin, "GET"),
            ("/auth/callback", "finish", self._finish, "GET"),
            ("/auth/signed-out", "over", self._signed_out, "GET"),
            ("/auth/sign-out", "end", self._sign_out, "POST"),
            ("/api/session", "session", self._describe, "GET"),
        ]
        for path, name, view, method in rules:
            app.add_url_rule(path, PREFIX + name, view, methods=[method])

    def admit(self) -> Response | None:
        """Run before every request: who it is, and an answer of its own for strangers.

        What is not open is closed; a path where there is nothing may say so to anybody.

        Raises:
            Problem: 401 without a session, 403 for a request that the page did not make.
        """
        session = self._sessions.find(request.cookies.get(SESSION_COOKIE, ""))
        g.session = session
        if session is not None:
            g.session_reference = session.reference
        endpoint = request.endpoint or ""
        if not endpoint or endpoint in OPEN_ENDPOINTS or endpoint in _FOR_STRANGERS:
            return None
        if session is None:
            if endpoint == "page":
                return _see("/auth/sign-in")
            raise Problem(401, "Nobody is signed in, or no longer.", reason="session")
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _refuse_forgery(session)
        return None

    def _begin(self) -> Response:
        browser = request.cookies.get(BROWSER_COOKIE, "")
        if not NUMBER.fullmatch(browser):
            browser = secrets.token_urlsafe(32)
        pending = self._pending.begin(browser)
        another = request.args.get("account") == "another"
        try:
            url = self._authorisation.request_url(pending, another_account=another)
        except ProviderFailed as failure:
            return self._provider_failed(failure)
        response = _see(url)
        _set_cookie(response, BROWSER_COOKIE, browser, max_age=int(LONGEST_SECONDS))
        return response

    def _finish(self) -> Response:
        pending = self._pending.take(
            _parameter("state") or "", request.cookies.get(BROWSER_COOKIE, "")
        )
        if pending is None:
            self._count("no such sign-in")
            return pages.too_late()
        try:
            return self._answer(pending)
        except ProviderFailed as failure:
            return self._provider_failed(failure)
        except CodeRefused as refusal:
            if str(refusal) == "invalid_grant":
                self._count("code too old")
                return pages.too_late()
            self._count("code refused", str(refusal))
            return pages.misconfigured()
        except TokenRefused as refusal:
            self._count("token refused", str(refusal))
            return pages.refused()

    def _answer(self, pending: PendingSignIn) -> Response:
        if not self._authorisation.is_from_the_provider(_parameter("iss")):
            self._count("another issuer")
            return pages.refused()
        error, code = _parameter("error"), _parameter("code")
        if error in ("server_error", "temporarily_unavailable"):
            # Not "provider failed": whoever comes back may write what he likes into the address.
            self._count("sent back", error)
            return pages.provider_away(host_of(self._settings.issuer))
        if error is not None or code is None:
            declined = error in ("access_denied", "consent_required", "interaction_required")
            self._count("declined" if declined else "request refused")
            return pages.declined() if declined else pages.misconfigured()
        signed_in = self._authorisation.finish(pending, code)
        if not self._is_allowed(signed_in.person):
            self._count("not allowed")
            person = signed_in.person
            return pages.not_for_you(person.name, has_too_many_groups=person.has_too_many_groups)
        return self._let_in(signed_in)

    def _let_in(self, signed_in: SignedIn) -> Response:
        # A number that the browser had before is never the number of who signs in now.
        self._sessions.end(request.cookies.get(SESSION_COOKIE, ""))
        person = signed_in.person
        number = self._sessions.begin(person.subject, person.name, signed_in.id_token)
        self._count("signed in")
        response = _see("/")
        _set_cookie(response, SESSION_COOKIE, number)
        return response

    def _is_allowed(self, person: Person) -> bool:
        settings = self._settings
        return (
            settings.sign_in_everyone
            or not person.groups.isdisjoint(settings.sign_in_groups)
            or not person.roles.isdisjoint(settings.sign_in_roles)
        )

    def _sign_out(self) -> Response:
        session: Session = g.session
        self._sessions.end(request.cookies.get(SESSION_COOKIE, ""))
        url = self._authorisation.sign_out_url(session.id_token)
        response = json_response({"location": url or "/auth/signed-out?here=only"})
        _set_cookie(response, SESSION_COOKIE, "", max_age=0)
        return response

    def _signed_out(self) -> Response:
        return pages.signed_out(at_the_provider=request.args.get("here") != "only")

    def _describe(self) -> Response:
        session: Session = g.session
        return json_response(
            {"signed_in": True, "name": session.name, "csrf_token": session.csrf_token}
        )

    def _provider_failed(self, failure: ProviderFailed) -> Response:
        self._count("provider failed", str(failure))
        return pages.provider_away(host_of(self._settings.issuer))

    def _count(self, outcome: str, reason: str = "") -> None:
        """Outcome and reason are words of this program: never a token, a claim, or an address."""
        self._metrics.sign_ins.labels(outcome).inc()
        level = logging.INFO if outcome in ("signed in", "declined") else logging.WARNING
        extra = {"outcome": outcome, "request_id": g.request_id}
        log.log(level, "sign-in", extra={**extra, **({"reason": reason} if reason else {})})


_FOR_STRANGERS = frozenset(f"{PREFIX}{name}" for name in ("begin", "finish", "over"))


def describe_nobody() -> Response:
    """``/api/session`` where nobody signs in."""
    return json_response({"signed_in": False})


def _refuse_forgery(session: Session) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
        raise Problem(
            403, "The page is older than your sign-in. Load it again.", reason="forged request"
        )


def _parameter(name: str) -> str | None:
    """A parameter of the provider's answer; None where it is missing, doubled or too long."""
    values = request.args.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= LONGEST_PARAMETER:
        return None
    return values[0]


def _see(url: str) -> Response:
    return Response(status=303, headers={"Location": url})


def _set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax"
    )
