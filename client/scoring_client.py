"""A client of one scoring service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx

from client.address import read_address
from client.answers import (
    Classification,
    MatchAnswer,
    read_classification,
    read_match_answer,
)
from client.api_key import checked_key
from client.errors import (
    ConnectionCut,
    DeadlineExceeded,
    ScoringError,
    UnexpectedAnswer,
    Unreachable,
    one_line,
    read_problem,
    refusal,
)
from client.picture import media_type_of, read_picture
from client.retrying import Retries, read_retry_after
from client.sending import Body, TimeLeft

DEFAULT_TIMEOUT = 10.0
LONGEST_TIMEOUT = 600.0
ANSWER_LIMIT = 16 << 20
JSON_TYPES = ("application/json", "application/problem+json")
USER_AGENT = "realtime-scoring-client"

Answer = TypeVar("Answer")


class ScoringClient:
    """Asks one service; the same class serves both, :meth:`match` for faq, :meth:`classify` for
    resnet. May be used by several threads. A context manager; connections are kept between calls.

    Args:
        base_url: address of the service, such as ``http://127.0.0.1:8081``.
        api_key: sent as X-API-Key. Only ever sent over HTTPS or to this machine, unless
            ``key_over_plain_http`` allows another way.
        timeout: seconds that a call may take, tries and waits together; more than 0, at most 600.
            The service is told what is left of it by X-Request-Timeout-Ms. Connecting, sending and
            the answer each have what is left when they begin: a service that stalls midway is given
            up after twice the time at most. Not bounded are one that takes a piece of a picture, or
            sends the head of its answer, in drips, and what the system needs to look up a name and
            to try one of its addresses after another.
        retries: when to try again; :data:`~client.retrying.NO_RETRIES` for never.
        key_over_plain_http: send the key unencrypted to another machine, as inside a cluster.

    Raises:
        ValueError: an argument is unusable.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retries: Retries | None = None,
        key_over_plain_http: bool = False,
    ) -> None:
        address = read_address(base_url)
        if not 0 < timeout <= LONGEST_TIMEOUT:
            raise ValueError(f"the timeout must be more than 0 and at most {LONGEST_TIMEOUT:g} s")
        is_private = address.scheme == "https" or address.is_loopback
        if api_key is not None and not (is_private or key_over_plain_http):
            raise ValueError("the API key is sent to other machines over https only")
        headers = {"Accept": ", ".join(JSON_TYPES), "User-Agent": USER_AGENT}
        if api_key is not None:
            headers["X-API-Key"] = checked_key(api_key)
        self.address = address
        self._timeout = timeout
        self._retries = retries or Retries()
        # Connections are kept: a TLS handshake for each call is dear. A picture on one that is closed
        # while idle at that very moment looks like one that killed its pod, and fails (decision 8).
        # That is rare enough: httpx sends nothing on one that it sees closed or that was idle for
        # 5 s; the services and the gateway keep theirs for minutes, unless they stop.
        # A proxy set in the environment must not see what is meant for this machine.
        self._http = httpx.Client(headers=headers, trust_env=not address.is_loopback)

    def __enter__(self) -> ScoringClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def match(
        self,
        question: str,
        *,
        top_k: int | None = None,
        min_score: float | None = None,
        include_answers: bool = False,
    ) -> MatchAnswer:
        """The known questions that ``question`` may duplicate, most probable first.

        Args:
            question: plain text or HTML.
            top_k: at most so many; the service's default where None.
            min_score: only those of at least this probability, 0 to 1.
            include_answers: with their answers, as HTML.

        Raises:
            ScoringError: see :mod:`client.errors`.
            ValueError: the question is not valid Unicode.
        """
        if any("\ud800" <= letter <= "\udfff" for letter in question):
            raise ValueError("the question is not valid Unicode")
        request: dict[str, object] = {"question": question}
        if top_k is not None:
            request["top_k"] = top_k
        if min_score is not None:
            request["min_score"] = min_score
        if include_answers:
            request["include_answers"] = True
        body = json.dumps(request).encode("ascii")
        return self._call(
            "/v1/match", body, "application/json", {}, read_match_answer, harmless=True
        )

    def classify(self, picture: bytes | Path, *, top_k: int | None = None) -> Classification:
        """The classes of a picture, most probable first.

        Args:
            picture: an encoded picture (JPEG, PNG, …), or the path of one.
            top_k: at most so many; the service's default where None.

        Raises:
            ScoringError: see :mod:`client.errors`.
            OSError: the file cannot be read.
            ValueError: the file is a directory or larger than any picture that is taken.
        """
        body = read_picture(picture) if isinstance(picture, Path) else picture
        query = {} if top_k is None else {"top_k": str(top_k)}
        return self._call(
            "/v1/classify", body, media_type_of(body), query, read_classification, harmless=False
        )

    def _call(
        self,
        path: str,
        content: bytes,
        content_type: str,
        query: Mapping[str, str],
        read: Callable[[object], Answer],
        *,
        harmless: bool,
    ) -> Answer:
        deadline = time.monotonic() + self._timeout
        body = Body(content, deadline)
        request = self._http.build_request(
            "POST",
            f"{self.address}{path}",
            params=dict(query),
            # Can be sent again with each try. Its length is known, so that it is not sent chunked.
            content=body,
            headers={"Content-Type": content_type, "Content-Length": str(len(content))},
            extensions={"timeout": TimeLeft(deadline)},
        )
        tries = 0
        while True:
            tries += 1
            try:
                return read(self._exchange(request, body, deadline))
            except ScoringError as error:
                wait = self._retries.wait(tries, error, harmless=harmless)
                if wait is None or time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)

    def _exchange(self, request: httpx.Request, body: Body, deadline: float) -> object:
        """Send once; the decoded JSON of a 200, an exception for everything else."""
        body.begun = False
        remaining = deadline - time.monotonic()
        request.headers["X-Request-Timeout-Ms"] = str(max(1, int(remaining * 1000)))
        try:
            response = self._http.send(request, stream=True)
            try:
                content = _read(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise DeadlineExceeded(f"no answer within {self._timeout:g} s") from None
        except httpx.TransportError as error:
            if body.begun:
                raise ConnectionCut(f"{self.address}: the connection was cut") from None
            raise Unreachable(f"{self.address}: no connection ({_reason(error)})") from None
        except httpx.DecodingError:
            raise UnexpectedAnswer("the answer is corrupt") from None
        if response.status_code != 200:
            raise _refusal(response, content)
        return _decode(response, content)


def _read(response: httpx.Response, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > ANSWER_LIMIT:
            raise UnexpectedAnswer(f"the answer is larger than {ANSWER_LIMIT >> 20} MiB")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long")
        pieces.append(piece)
    return b"".join(pieces)


def _refusal(response: httpx.Response, content: bytes) -> ScoringError:
    try:
        document: Any = _decode(response, content)
    except UnexpectedAnswer:
        document = None
    return refusal(
        read_problem(
            response.status_code,
            document,
            retry_after=read_retry_after(response.headers.get("Retry-After", "")),
            request_id=response.headers.get("X-Request-Id", ""),
        )
    )


def _decode(response: httpx.Response, content: bytes) -> object:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise UnexpectedAnswer(
            f"the answer is not JSON but {one_line(media_type) or 'of no declared type'}"
        )
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UnexpectedAnswer("the answer is not valid JSON") from None


def _reason(error: httpx.TransportError) -> str:
    """Why nothing was sent; what a proxy or another server says of it is never shown as it came."""
    if isinstance(error, httpx.ConnectError):
        return one_line(str(error)) or "refused"
    return "it was cut, or a proxy refused"
