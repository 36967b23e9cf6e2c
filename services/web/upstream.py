"""Calling a scoring service: connection pool, key, time limit, and its refusals in plain words."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import orjson

from services.serving.problem import PROBLEM_TYPE, Problem
from services.web.key_file import KeyFile, KeyUnreadable
from services.web.places import NoPlace, Places

log = logging.getLogger("upstream")

CONNECT_SECONDS = 3.0
REQUESTS_AT_ONCE = 12
"""Per service; with two services, a quarter of the request threads is left for the page itself."""
PIECE_BYTES = 64 << 10
MOST_REPLY_BYTES = 4 << 20
LONGEST_DETAIL = 300
LONGEST_RETRY_SECONDS = 3600
USERS_OWN_FAULTS = frozenset({400, 413, 415, 422})
"""Statuses that concern what the user sent; the service's own words help most."""


class ReplyTooLarge(Exception):
    """A service sends more than any honest answer has."""


@dataclass(frozen=True)
class Reply:
    """What a service answered."""

    status: int
    headers: httpx.Headers
    content: bytes


class ScoringService:
    """One scoring service, as the client application calls it; used by many threads.

    Args:
        name: what people are told it is, such as "question service".
        url: its address, without a slash at the end.
        key_file: where its API key is; None where it asks for none.
        timeout_seconds: longest that sending may take, that the answer may keep us waiting, and
            that both may take together once the answer has begun.
        observe: told the outcome and the seconds of every call. The outcome is the status code or
            ``timeout``, ``unreachable``, ``broken`` (no whole answer), ``busy`` (too many calls at
            once), ``no key`` (its file is unusable).
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key_file: KeyFile | None,
        timeout_seconds: float,
        observe: Callable[[str, float], None],
    ) -> None:
        self._name = name
        self._url = url
        self._key_file = key_file
        self._timeout_seconds = timeout_seconds
        self._observe = observe
        self._places = Places(REQUESTS_AT_ONCE)
        # trust_env off: no proxy and no .netrc of the environment ever sees a key.
        self._client = httpx.Client(
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            # A connection for each request: one that was closed while idle cannot be told from one
            # whose pod the picture has killed, and that must not be sent to the next (decision 8).
            limits=httpx.Limits(max_connections=REQUESTS_AT_ONCE, max_keepalive_connections=0),
            headers={"User-Agent": "realtime-scoring-web", "Accept-Encoding": "identity"},
        )

    def post(self, path: str, body: bytes, content_type: str, request_id: str) -> Reply:
        """The service's answer of status 200 to one request.

        Raises:
            Problem: any other outcome, in words for the person at the page.
        """
        began = time.perf_counter()
        outcome = "failed"
        try:
            headers = self._headers(content_type, request_id)
            with self._places.one():
                reply = self._send(path, body, headers)
            outcome = str(reply.status)
        except NoPlace:
            outcome = "busy"
            raise self._busy() from None
        except KeyUnreadable as error:
            outcome = "no key"
            log.error(str(error), extra={"request_id": request_id})
            raise self._key_refused() from None
        except httpx.TimeoutException:
            outcome = "timeout"
            raise Problem(504, f"The {self._name} did not answer in time.") from None
        except httpx.ConnectError:
            outcome = "unreachable"
            raise Problem(502, f"The {self._name} cannot be reached.") from None
        except (httpx.HTTPError, ReplyTooLarge):
            outcome = "broken"
            raise self._broken() from None
        finally:
            self._observe(outcome, time.perf_counter() - began)
            if outcome != "200":
                log.warning(
                    "no answer from a service",
                    extra={"service": self._name, "outcome": outcome, "request_id": request_id},
                )
        if reply.status != 200:
            raise self._refusal(reply)
        return reply

    def _headers(self, content_type: str, request_id: str) -> dict[str, str]:
        headers = {
            "Content-Type": content_type,
            "Accept": "application/json",
            "X-Request-Id": request_id,
        }
        if self._key_file is not None:
            headers["X-API-Key"] = self._key_file.read()
        return headers

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        deadline = time.monotonic() + self._timeout_seconds
        request = self._client.stream(
            "POST",
            self._url + path,
            content=_pieces(body, deadline),
            headers={**headers, "Content-Length": str(len(body))},
        )
        with request as response:
            content = bytearray()
            for piece in response.iter_raw():
                content += piece
                if len(content) > MOST_REPLY_BYTES:
                    raise ReplyTooLarge
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer trickles")
            return Reply(response.status_code, response.headers, bytes(content))

    def _refusal(self, reply: Reply) -> Problem:
        retry = _retry_seconds(reply.headers)
        if reply.status in USERS_OWN_FAULTS:
            return Problem(reply.status, _detail(reply) or "The service cannot use what was sent.")
        if reply.status in (401, 403):
            return self._key_refused()
        if reply.status == 429:
            return Problem(429, f"The {self._name} is asked too often.", retry_after_seconds=retry)
        if reply.status == 503:
            return Problem(
                503, f"The {self._name} has no capacity left just now.", retry_after_seconds=retry
            )
        if reply.status == 504:
            return Problem(504, f"The {self._name} did not answer in time.")
        return self._broken()

    def _key_refused(self) -> Problem:
        # 502, not 401: it is this application's key, and the user can do nothing about it.
        return Problem(
            502,
            f"The client application's key is not accepted by the {self._name}. Tell the operator.",
        )

    def _busy(self) -> Problem:
        detail = f"Too many people use the {self._name} just now."
        return Problem(503, detail, retry_after_seconds=1)

    def _broken(self) -> Problem:
        return Problem(502, f"The {self._name} failed.")


def _pieces(body: bytes, deadline: float) -> Iterator[bytes]:
    """``body`` bit by bit: httpcore copies all that is left of a piece whenever a part of it is sent."""
    for start in range(0, len(body), PIECE_BYTES):
        if time.monotonic() > deadline:
            raise httpx.WriteTimeout("the service takes it too slowly")
        yield body[start : start + PIECE_BYTES]


def _detail(reply: Reply) -> str:
    """The service's own sentence on what is wrong; empty where it has none."""
    if not reply.headers.get("Content-Type", "").startswith(PROBLEM_TYPE):
        return ""
    try:
        document = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return ""
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail[:LONGEST_DETAIL] if isinstance(detail, str) else ""


def _retry_seconds(headers: httpx.Headers) -> float | None:
    value = headers.get("Retry-After", "")
    if not (value.isascii() and value.isdigit()):
        return None
    return min(int(value[:9]), LONGEST_RETRY_SECONDS)
