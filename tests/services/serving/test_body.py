"""Request bodies: limits, compression, completeness."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
import socket
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.body import CODINGS, decompress, media_type, read_body
from services.serving.problem import Problem
from tests.services.serving.live_service import JSON, LiveService, head, pull

LIMIT = 64 << 10
GZIP = CODINGS["gzip"]


def problem(**options: object) -> Problem:
    options = {"declared": None, "coding": "", "limit": 10, **options}
    body = options.pop("body", b"")
    with pytest.raises(Problem) as raised:
        read_body(io.BytesIO(body), **options)  # type: ignore[arg-type]
    return raised.value


def test_a_body_is_read_to_its_declared_length_and_no_further() -> None:
    stream = io.BytesIO(b"hello, next request")

    assert read_body(stream, declared="5", coding="", limit=5) == b"hello"
    assert stream.read() == b", next request"


def test_a_chunked_body_is_read_to_its_end() -> None:
    assert read_body(io.BytesIO(b"hello"), declared=None, coding="", limit=5) == b"hello"


def test_a_declared_body_over_the_limit_is_refused_unread() -> None:
    class Untouched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("was read")

    with pytest.raises(Problem) as raised:
        read_body(Untouched(), declared="11", coding="", limit=10)
    assert raised.value.status == 413


def test_an_endless_chunked_body_is_read_only_to_the_limit() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1, /) -> bytes:
            self.taken += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(Problem) as raised:
        read_body(stream, declared=None, coding="", limit=1000)
    assert raised.value.status == 413
    assert stream.taken == 1001


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"declared": "5", "body": b"four"}, 400),
        ({"declared": "x", "body": b"x"}, 400),
        ({"declared": "-1", "body": b"x"}, 400),
        ({"declared": "+1", "body": b"x"}, 400),
        ({"declared": "1_0", "body": b"x"}, 400),
        ({"declared": "٣", "body": b"x"}, 400),
        ({"declared": "9" * 30, "body": b"x"}, 400),
        ({"coding": "br", "body": b"x"}, 415),
        ({"coding": "gzip, gzip", "body": b"x"}, 415),
        ({"coding": "gzip", "body": b"not gzip"}, 400),
        ({"coding": "gzip", "body": b""}, 400),
    ],
)
def test_each_fault_has_its_status(options: dict[str, object], status: int) -> None:
    assert problem(**options).status == status


class BreaksAfter(io.BytesIO):
    """A connection that is lost when these bytes have been read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if piece := super().read(size):
            return piece
        raise ConnectionResetError


@pytest.mark.parametrize("declared", ["10", None], ids=["declared", "chunked"])
def test_what_came_before_the_connection_broke_is_not_taken_for_the_body(
    declared: str | None,
) -> None:
    with pytest.raises(Problem) as raised:
        read_body(BreaksAfter(b"half"), declared=declared, coding="", limit=10)
    assert raised.value.status == 400
    assert raised.value.headers["Connection"] == "close"


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_what_was_compressed_comes_back(content: bytes, coding: str) -> None:
    compress = gzip.compress if coding == "gzip" else zlib.compress

    assert decompress(compress(content), CODINGS[coding], len(content)) == content
    if content:
        with pytest.raises(Problem) as raised:
            decompress(compress(content), CODINGS[coding], len(content) - 1)
        assert raised.value.status == 413


@given(st.binary(min_size=1, max_size=500), st.data())
def test_a_stream_cut_anywhere_is_refused(content: bytes, data: st.DataObject) -> None:
    stream = gzip.compress(content)
    end = data.draw(st.integers(0, len(stream) - 1))

    with pytest.raises(Problem) as raised:
        decompress(stream[:end], GZIP, LIMIT)
    assert raised.value.status == 400


@given(st.binary(max_size=500))
def test_any_bytes_are_content_or_a_problem(content: bytes) -> None:
    try:
        assert len(decompress(content, GZIP, 100)) <= 100
    except Problem as refused:
        status = refused.status
        assert status in (400, 413)


def test_rubbish_behind_a_stream_is_refused() -> None:
    with pytest.raises(Problem):
        decompress(gzip.compress(b"x") + b"rubbish", GZIP, LIMIT)


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100 << 20)))
    inner = gzip.decompress(bomb)
    tracemalloc.start()
    with pytest.raises(Problem) as raised:
        decompress(inner, GZIP, LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert raised.value.status == 413
    assert peak < 10 * LIMIT


@pytest.mark.parametrize(
    ("header", "name", "options"),
    [
        ("application/json", "application/json", {}),
        ("Application/JSON ; Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('multipart/form-data; boundary="a b"', "multipart/form-data", {"boundary": "a b"}),
        ("", "", {}),
    ],
)
def test_a_media_type_is_read_with_its_parameters(
    header: str, name: str, options: dict[str, str]
) -> None:
    assert media_type(header) == (name, options)


@given(
    st.text(st.characters(max_codepoint=255), max_size=100)
    | st.from_regex(r"multipart/form-data;( ?boundary\*?(0\*?)?=[^;]{0,9};?){0,3}", fullmatch=True)
)
def test_any_content_type_is_text_with_text_parameters(header: str) -> None:
    name, options = media_type(header)

    assert isinstance(name, str)
    assert name == name.lower()
    assert all(isinstance(each, str) for each in itertools.chain(*options.items()))


BODY = pull("hello")


def post(content: bytes, headers: dict[str, str], length: int | None) -> bytes:
    return head("POST", "/v1/pull", {**JSON, **headers}, length) + content


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", ""])
def test_over_http_compressed_bodies_are_taken(lever: LiveService, coding: str) -> None:
    name = coding.lower()
    content = gzip.compress(BODY) if "gzip" in name else BODY
    content = zlib.compress(BODY) if name == "deflate" else content

    answer = lever.request("POST", "/v1/pull", content, {**JSON, "Content-Encoding": coding})
    assert answer.status == 200
    assert answer.json["texts"] == ["hello"]


def test_over_http_a_chunked_body_is_taken(lever: LiveService) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([each])) for each in BODY) + b"0\r\n\r\n"
    with lever.wire() as wire:
        wire.send(post(chunks, {"Transfer-Encoding": "chunked"}, None))
        assert wire.read().status == 200


@pytest.mark.parametrize(
    ("content", "coding", "status"),
    [
        (gzip.compress(BODY)[:-4], "gzip", 400),
        (gzip.compress(BODY)[:-9] + bytes(9), "gzip", 400),
        (gzip.compress(BODY) + b"rubbish", "gzip", 400),
        (b"rubbish", "gzip", 400),
        (BODY, "br", 415),
        (BODY, "zstd, gzip", 415),
    ],
)
def test_over_http_each_compression_fault_has_its_status(
    lever: LiveService, content: bytes, coding: str, status: int
) -> None:
    answer = lever.request("POST", "/v1/pull", content, {**JSON, "Content-Encoding": coding})

    assert answer.status == status
    assert answer.json["status"] == status
    assert ("accept-encoding" in answer.headers) == (status == 415)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    with open(f"/proc/{pid}/statm") as stream:
        return int(stream.read().split()[1]) * 4096


def test_over_http_a_bomb_is_refused_without_memory(lever: LiveService) -> None:
    bomb = gzip.compress(bytes(10 << 20) * 4, 9)
    assert len(bomb) < LIMIT
    before = resident(lever.process.pid)
    for _ in range(10):
        answer = lever.request("POST", "/v1/pull", bomb, {**JSON, "Content-Encoding": "gzip"})
        assert answer.status == 413

    assert resident(lever.process.pid) - before < 20 << 20


def test_over_http_a_body_of_exactly_the_limit_is_taken(lever: LiveService) -> None:
    text = "x" * (LIMIT - len(pull("")))

    assert lever.request("POST", "/v1/pull", pull(text), JSON).status == 200
    assert lever.request("POST", "/v1/pull", pull(text + "x"), JSON).status == 413


def test_over_http_a_declared_giant_is_refused_before_it_is_sent(lever: LiveService) -> None:
    with lever.wire() as wire:
        wire.send(post(b"", {}, 1 << 40))
        answer = wire.read()

        assert answer.status == 413
        assert answer.headers["connection"] == "close"


def test_over_http_a_chunked_giant_is_refused_while_it_is_sent(lever: LiveService) -> None:
    piece = b"%x\r\n%s\r\n" % (LIMIT, b"x" * LIMIT)
    with lever.wire() as wire:
        wire.send(post(b"", {"Transfer-Encoding": "chunked"}, None))
        wire.send(piece)
        wire.send(b"1\r\nx\r\n")

        assert wire.read().status == 413


def test_over_http_a_body_that_ends_early_is_refused(lever: LiveService) -> None:
    with lever.wire() as wire:
        wire.send(post(BODY[:5], {}, len(BODY)))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.read().status == 400
    assert lever.pull("x").status == 200


def chunk(content: bytes, declared: int | None = None) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content) if declared is None else declared, content)


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("lost", [1, 8, 15])
@pytest.mark.parametrize("rest", [b"", b"0\r\n", b"rubbish\r\n"], ids=["cut", "half", "rubbish"])
def test_over_http_a_chunked_body_that_is_cut_off_is_refused_and_not_scored(
    lever: LiveService, coding: str, lost: int, rest: bytes
) -> None:
    scored = lever.metric("modelsvc_batch_size_sum")
    content = gzip.compress(BODY) if coding else BODY
    headers = {"Transfer-Encoding": "chunked", "Content-Encoding": coding}
    whole, half = chunk(content[:-lost]), chunk(content[:-lost], len(content))[:-2]
    for sent in (whole + rest, half):
        with lever.wire() as wire:
            wire.send(post(sent, headers, None))
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.read().status == 400

    assert lever.metric("modelsvc_batch_size_sum") == scored


def test_over_http_bytes_beyond_the_declared_length_are_another_request(
    lever: LiveService,
) -> None:
    with lever.wire() as wire:
        wire.send(post(BODY + b"rubbish\r\n\r\n", {}, len(BODY)))

        assert wire.read().status == 200
        try:
            assert wire.read().status == 400
        except ConnectionError:
            assert wire.is_closed_by_server()


def test_over_http_random_bytes_never_break_the_service(lever: LiveService) -> None:
    chance = random.Random(1)
    for _ in range(50):
        with lever.wire() as wire:
            wire.send(chance.randbytes(chance.randrange(1, 300)) + b"\r\n\r\n")
    answer = lever.request("POST", "/v1/pull", json.dumps({"texts": ["x"]}).encode(), JSON)
    assert answer.status == 200
