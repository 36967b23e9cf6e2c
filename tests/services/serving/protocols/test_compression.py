"""Compressed bodies, both ways."""

from __future__ import annotations

import gzip
import zlib

import pytest

from services.serving.protocols.compression import SMALLEST_BYTES, compressed
from tests.services.serving.protocols.conftest import (
    INFER,
    FlaskClient,
    Infer,
    assert_refused,
    dumped,
    tensor_request,
)

LONG = b"abc" * SMALLEST_BYTES


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate, br", "gzip"), ("*", "gzip"),
     ("deflate, gzip;q=0.5", "deflate"), ("gzip;q=0, deflate", "deflate"), ("gzip;q=0", ""),
     ("br", ""), ("identity", ""), ("", ""), ("gzip;q=x", ""), (";;,", "")],
)  # fmt: skip
def test_the_client_s_wish_decides(accepted: str, coding: str) -> None:
    body, chosen = compressed(LONG, accepted)
    plain = {"gzip": gzip.decompress, "deflate": zlib.decompress, "": bytes}[chosen](body)

    assert chosen == coding
    assert plain == LONG


def test_a_short_body_is_left_as_it_is() -> None:
    assert compressed(b"abc", "gzip") == (b"abc", "")


def test_an_answer_is_compressed_only_for_those_who_ask(infer: Infer) -> None:
    long = {"id": "x" * 1000, "data": [1, 2, 3]}
    plain, packed = infer(**long), infer(**long, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_request_is_read(client: FlaskClient, coding: str, compress: object) -> None:
    body = compress(dumped(tensor_request()))  # type: ignore[operator]

    assert client.post(INFER, data=body, headers={"Content-Encoding": coding}).status_code == 200


def test_a_bomb_is_413(client: FlaskClient) -> None:
    bomb = gzip.compress(bytes(64 << 20))

    assert_refused(client.post(INFER, data=bomb, headers={"Content-Encoding": "gzip"}), 413)
