"""A request as its head says, and a reply."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

import httptools

from services.serving.body import parse_length
from services.serving.problem import Problem, problem_type

STATUS_LINES = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n" for each in HTTPStatus}
WITHOUT_CONTENT = (204, 304)
"""Statuses whose replies have no body and no length (RFC 9110 section 8.6)."""

ADDED = frozenset(("connection", "content-length", "date"))
"""What the server says of every reply itself."""

UNSAFE: Final[dict[int, str]] = dict.fromkeys((0, 10, 13), " ")
"""What may not be in a header's value, which would end it: NUL, LF, CR (RFC 9110 section 5.5)."""

Address = tuple[str, int]
Pairs = Sequence[tuple[bytes, bytes]]


class BadHead(Exception):
    """A request line or headers that are not those of a request to this server."""


class Headers:
    """The headers of a request, looked up without regard to case; repeated ones are joined."""

    __slots__ = ("_repeated", "_values")

    def __init__(self, pairs: Pairs) -> None:
        self._repeated: list[str] = []
        values: dict[str, str] = {}
        for name, value in pairs:
            # White space around a value is no part of it (RFC 9110 section 5.5).
            key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
            if key in values:
                self._repeated.append(key)
                text = f"{values[key]},{text}"
            values[key] = text
        self._values = values

    def get(self, key: str, default: str = "", /) -> str:
        """The value of a header, or ``default``."""
        return self._values.get(key.lower(), default)

    def items(self) -> Sequence[tuple[str, str]]:
        """Lower-case names and values."""
        return list(self._values.items())

    def count(self, name: str) -> int:
        """How often a header is there; its name in lower case."""
        return (name in self._values) + self._repeated.count(name)


@dataclass(slots=True)
class Head:
    """A request without its body.

    Attributes:
        path: percent-decoded, as UTF-8.
        raw_path: percent-decoded, each byte as one character, as WSGI has it.
        query: not decoded.
        declared: bytes of the body as declared; 0 for none, None for a chunked one.
        expects_continue: the client waits for a word before it sends the body.
        keep_alive: the client would go on using the connection.
        client: address and port that the connection comes from.
        server: address and port that it goes to.
    """

    method: str
    path: str
    raw_path: str
    query: str
    headers: Headers
    declared: int | None
    expects_continue: bool
    keep_alive: bool
    version: str
    client: Address
    server: Address


@dataclass(slots=True)
class Reply:
    """A response; its length, date and the fate of its connection are added when it is sent.

    Attributes:
        lines: further headers, those that many replies share, as :func:`header_lines` made them once.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    lines: str = ""

    @property
    def ends_connection(self) -> bool:
        """Whether the application wants the connection to end with it."""
        return ("connection", "close") in [
            (name.lower(), value.lower())
            for name, value in self.headers
            if len(value) == len("close")
        ]


def read_head(
    method: str,
    target: bytes,
    pairs: Pairs,
    *,
    version: str,
    keep_alive: bool,
    client: Address,
    server: Address,
) -> Head:
    """The head that a parser found.

    Raises:
        BadHead: the target is no path, or there is not the one Host that RFC 9112 section 3.2 asks
            for, or a length that is none.
    """
    if version not in ("1.0", "1.1"):
        raise BadHead("only HTTP/1.0 and HTTP/1.1 are spoken")
    headers = Headers(pairs)
    if version == "1.1" and headers.count("host") != 1:
        raise BadHead("there must be one Host header")
    path, query = _path_and_query(target)
    raw_path = path.decode("latin-1")
    if b"%" in path:
        decoded = unquote(raw_path)
        raw_path = unquote_to_bytes(path).decode("latin-1")
    else:
        decoded = path.decode("utf-8", "replace")
    return Head(
        method=method,
        path=_with_one_slash(decoded),
        raw_path=_with_one_slash(raw_path),
        query=query.decode("latin-1"),
        headers=headers,
        declared=_declared(headers),
        expects_continue=version == "1.1" and headers.get("expect").lower() == "100-continue",
        keep_alive=keep_alive,
        version=version,
        client=client,
        server=server,
    )


def problem_reply(problem: Problem, path: str = "", request_id: str = "") -> Reply:
    """A problem as the reply to a request to ``path``."""
    headers = [("Content-Type", problem_type(path)), *problem.headers.items()]
    return Reply(problem.status, headers, problem.body(request_id))


def header_line(name: str, value: str) -> str:
    """A header as it is sent."""
    # Most are printable, which is looked at in a tenth of the time.
    return f"{name}: {value if value.isprintable() else value.translate(UNSAFE)}\r\n"


def header_lines(headers: Iterable[tuple[str, str]]) -> str:
    """Headers as they are sent, none of them one that the server adds itself."""
    return "".join(header_line(name, value) for name, value in headers)


def encode_reply(
    reply: Reply, *, date: str, version: str, ends_connection: bool, without_body: bool
) -> bytes:
    """A reply as it is sent."""
    lines = [STATUS_LINES.get(reply.status) or f"HTTP/1.1 {reply.status} \r\n"]
    lines += [
        header_line(name, value) for name, value in reply.headers if name.lower() not in ADDED
    ]
    lines.append(f"{reply.lines}Date: {date}\r\n")
    if reply.status not in WITHOUT_CONTENT:
        lines.append(f"Content-Length: {_length(reply, without_body)}\r\n")
    if ends_connection:
        lines.append("Connection: close\r\n")
    elif version == "1.0":
        lines.append("Connection: keep-alive\r\n")
    lines.append("\r\n")
    head = "".join(lines).encode("latin-1", "replace")
    return head if without_body or reply.status in WITHOUT_CONTENT else head + reply.body


def _length(reply: Reply, without_body: bool) -> str:
    """The length of the body; of the one that GET would have brought, where it is HEAD."""
    if without_body and not reply.body:
        for name, value in reply.headers:
            if name.lower() == "content-length":
                return value
    return str(len(reply.body))


def _path_and_query(target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a request's target: a path, or a whole URL (RFC 9112 section 3.2)."""
    if target.startswith(b"/"):
        path, _, query = target.partition(b"#")[0].partition(b"?")
        return path, query
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadHead("the target is not a path") from None
    if not url.schema:
        raise BadHead("the target is not a path")
    return url.path or b"/", url.query or b""


def _with_one_slash(path: str) -> str:
    """Begin a path with one slash, as clients mean it whose base address ends with one.

    Some applications behind this server do so as well, and others do not: it must be one path to all.
    """
    return f"/{path.lstrip('/')}" if path.startswith("//") else path


def _declared(headers: Headers) -> int | None:
    if headers.get("transfer-encoding"):
        return None
    length = parse_length(headers.get("content-length", "0"))
    if length is None:
        raise BadHead("the Content-Length is not a number")
    return length
