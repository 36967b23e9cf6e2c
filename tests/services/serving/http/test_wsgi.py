"""WSGI applications behind the event loop, as PEP 3333 has it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import pytest

from services.serving.http.wsgi import BODY_PROBLEM
from tests.services.serving.http.scripted_site import Served, get, post, post_chunked
from tests.services.serving.http.wsgi_applications import MOST_BYTES, Recorder, ask, wsgi
from tests.services.serving.live_service import head

LAST = b"0\r\n\r\n"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def recording(recorder: Recorder) -> Iterator[Served]:
    """The recorder, with the standard library's validator around it."""
    with wsgi(validator(recorder)) as served:
        yield served


@pytest.mark.parametrize(
    "sent",
    [
        get("/"),
        get("/a/b?c=d&e"),
        get("http://example.test"),
        get("/", Accept="text/html"),
        b"GET / HTTP/1.0\r\n\r\n",
        post("/", b"body"),
        post("/", b"body", None, **{"Content-Type": "text/plain"}),
        post("/", b""),
        post_chunked("/", b"body") + LAST,
        head("DELETE", "/"),
        head("OPTIONS", "/"),
    ],
)
def test_every_environment_is_valid(recording: Served, sent: bytes) -> None:
    assert ask(recording, sent).status == 200


def test_the_environment_says_all_of_the_request(recorder: Recorder, recording: Served) -> None:
    with recording.wire() as wire:
        headers = {"Content-Type": "text/plain", "X-Key": "é", "Host": "example.test"}
        wire.send(post("/caf%C3%A9%2Fx?b=%20c", b"body", None, **headers))
        answer = wire.read()
        host, port = wire.socket.getsockname()
    environ = recorder.environs[0]

    assert (answer.status, answer.body) == (200, b"got body")
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/café/x".encode().decode("latin-1"),
        "QUERY_STRING": "b=%20c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(recording.port),
        "REMOTE_ADDR": host,
        "REMOTE_PORT": str(port),
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "4",
        "HTTP_X_KEY": "é",
        "HTTP_HOST": "example.test",
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    assert {key: environ[key] for key in expected} == expected
    assert "HTTP_CONTENT_TYPE" not in environ
    assert "HTTP_CONTENT_LENGTH" not in environ
    assert BODY_PROBLEM not in environ


def test_a_header_with_an_underscore_cannot_pass_for_another(
    recorder: Recorder, recording: Served
) -> None:
    ask(recording, head("GET", "/", [("X_Key", "forged"), ("X_Other", "1"), ("X-Key", "real")]))

    assert recorder.environs[0]["HTTP_X_KEY"] == "real"
    assert "HTTP_X_OTHER" not in recorder.environs[0]


def test_repeated_headers_are_joined(recorder: Recorder, recording: Served) -> None:
    ask(recording, head("GET", "/", [("Accept", "a"), ("accept", "b")]))

    assert recorder.environs[0]["HTTP_ACCEPT"] == "a,b"


def test_a_chunked_body_has_a_length_and_is_chunked_no_more(
    recorder: Recorder, recording: Served
) -> None:
    answer = ask(recording, post_chunked("/", b"one", b"two") + LAST)

    assert answer.body == b"got onetwo"
    assert recorder.environs[0]["CONTENT_LENGTH"] == "6"
    assert "HTTP_TRANSFER_ENCODING" not in recorder.environs[0]


def test_the_reply_is_sent_as_the_application_made_it(recording: Served) -> None:
    with recording.wire() as wire:
        wire.send(get("/"))
        data = wire.socket.recv(1000)

    assert data.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n")
    assert data.endswith(b"\r\nContent-Length: 4\r\n\r\ngot ")


def test_a_reply_to_head_has_no_body(recording: Served) -> None:
    with recording.wire() as wire:
        wire.send(head("HEAD", "/") + get("/"))

        assert wire.read("HEAD").status == 200
        assert wire.read("GET").body == b"got "


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post("/", b"", length=MOST_BYTES + 1), 413),
        (post_chunked("/", bytes(MOST_BYTES), b"x"), 413),
        (post_chunked("/", b"body") + b"rubbish\r\n", 400),
    ],
    ids=["large", "chunked", "invalid"],
)
def test_the_application_is_told_why_there_is_no_body(
    recorder: Recorder, recording: Served, sent: bytes, status: int
) -> None:
    assert ask(recording, sent).status == status
    assert len(recorder.environs) == 1
    assert recorder.environs[0]["wsgi.input"].read(1) == b""


# Applications that go wrong


def raises(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("a secret")


def raises_late(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [("X-A", "1")])
    yield b"half of a reply"
    raise RuntimeError("a secret")


@pytest.mark.parametrize("application", [raises, raises_late])
def test_an_application_that_raises_is_a_problem_and_a_line_of_the_log(
    application: WSGIApplication, caplog: pytest.LogCaptureFixture
) -> None:
    with wsgi(application) as served, served.wire() as wire:
        for _ in range(2):
            wire.send(get("/"))
            answer = wire.read()
            assert answer.status == 500
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.body)["detail"] == (
                "The service failed; the error is in its log."
            )
            assert "x-a" not in answer.headers
    assert [record.message for record in caplog.records] == ["unexpected error"] * 2


class Closable:
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None:
        self.closed += 1


def broken() -> Iterator[bytes]:
    yield b"half"
    raise RuntimeError


@pytest.mark.parametrize(("pieces", "status"), [([b"a", b"b"], 200), (broken(), 500)])
def test_what_can_be_closed_is_closed_once(pieces: Iterable[bytes], status: int) -> None:
    result = Closable(pieces)

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        return result

    with wsgi(application) as served:
        assert ask(served, get("/")).status == status
    assert result.closed == 1


def test_a_reply_can_begin_with_its_first_piece_and_be_changed_on_an_error() -> None:
    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [("X-A", "1")])
        start("503 Service Unavailable", [("X-B", "1")], None)
        yield b"later"

    with wsgi(application) as served:
        answer = ask(served, get("/"))
    assert (answer.status, answer.body) == (503, b"later")
    assert "x-a" not in answer.headers


def test_an_input_can_be_read_in_every_way(recorder: Recorder) -> None:
    lines: list[object] = []

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body: io.BytesIO = environ["wsgi.input"]
        lines.extend([body.readline(), body.readlines(), body.read(), list(body)])
        return recorder(environ, start)

    with wsgi(application) as served:
        ask(served, post("/", b"a\nb\nc"))
    assert lines == [b"a\n", [b"b\n", b"c"], b"", []]


def test_what_is_no_request_never_reaches_the_application(
    recorder: Recorder, recording: Served
) -> None:
    with recording.wire() as wire:
        wire.send(b"nonsense\r\n\r\n")
        answer = wire.read()
    assert answer.status == 400
    assert answer.json["request_id"] == answer.headers["x-request-id"] != ""
    assert recorder.environs == []
