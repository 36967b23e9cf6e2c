"""Talking to the provider: every answer is bounded in size and in time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httpx
import orjson

from services.web.places import NoPlace, Places

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 6.0
MOST_BYTES = 512 << 10
"""Entra's keys take 20 kB."""
REQUESTS_AT_ONCE = 8
"""A quarter of the request threads: a provider that hangs must not take the page with it."""


class ProviderFailed(Exception):
    """The provider gave no usable answer; the message is a word for the log, such as timeout."""


class ProviderBusy(ProviderFailed):
    """As many requests as may be are under way; it says nothing of the provider."""

    def __init__(self) -> None:
        super().__init__("too many requests at once")


@dataclass(frozen=True)
class Answer:
    """A provider's answer: the status, and a JSON object."""

    status: int
    content: Mapping[str, object]


class ProviderHttp:
    """The connection to a provider; used by many threads."""

    def __init__(self) -> None:
        self._places = Places(REQUESTS_AT_ONCE)
        # trust_env off: no proxy of the environment ever sees a client secret or a token.
        self._client = httpx.Client(
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=REQUESTS_AT_ONCE, keepalive_expiry=30.0),
            headers={
                "User-Agent": "realtime-scoring-web",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    def get(self, url: str) -> Mapping[str, object]:
        """The JSON object at ``url``.

        Raises:
            ProviderFailed: there is none.
        """
        answer = self._send("GET", url)
        if answer.status != 200:
            raise ProviderFailed(f"status {answer.status}")
        return answer.content

    def post(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """What the provider answers to a form.

        Raises:
            ProviderFailed: no JSON object, in no time.
        """
        return self._send("POST", url, headers, body.encode("ascii"))

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        try:
            with self._places.one():
                return self._exchange(method, url, headers or {}, body)
        except NoPlace:
            raise ProviderBusy from None
        except httpx.TimeoutException:
            raise ProviderFailed("timeout") from None
        except httpx.ConnectError:
            raise ProviderFailed("unreachable") from None
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError):
            raise ProviderFailed("broken answer") from None

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        until = time.monotonic() + TOTAL_SECONDS
        content = bytearray()
        with self._client.stream(method, url, headers=dict(headers), content=body) as response:
            for piece in response.iter_raw():
                content += piece
                if len(content) > MOST_BYTES:
                    raise ProviderFailed("answer too large")
                if time.monotonic() > until:
                    raise ProviderFailed("timeout")
        document: object = orjson.loads(bytes(content))
        if not isinstance(document, dict):
            raise ProviderFailed("broken answer")
        return Answer(response.status_code, cast("dict[str, object]", document))
