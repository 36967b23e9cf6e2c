"""Keys: who is let in, and how the key file is followed."""

from __future__ import annotations

import hmac
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from services.serving import api_keys
from services.serving.api_keys import (
    ApiKey,
    KeyFile,
    KeyFileError,
    KeyRing,
    key_hash,
    new_key,
    read_key_file,
    write_key_file,
)
from services.serving.problem import Problem
from tests.services.serving.live_service import LiveService, service


def entry(key: str, name: str = "someone", *scopes: str, **options: object) -> ApiKey:
    return ApiKey(name=name, sha256=key_hash(key), scopes=frozenset(scopes or ["lever"]), **options)  # type: ignore[arg-type]


LINE_ENDS = dict.fromkeys(map(ord, "\r\n"))
GOOD, OTHER, EXPIRED = new_key(), new_key(), new_key()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file with a good key, one for another service and an expired one."""
    file = tmp_path / "keys.json"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    write_key_file(
        file,
        KeyFile(
            keys=(
                entry(GOOD, "good"),
                entry(OTHER, "other", "faq"),
                entry(EXPIRED, "expired", expires=yesterday),
            )
        ),
    )
    return file


@pytest.fixture
def ring(path: Path) -> KeyRing:
    """The keys of the lever service."""
    return KeyRing(path, "lever")


def refused(ring: KeyRing, headers: dict[str, str]) -> Problem:
    with pytest.raises(Problem) as raised:
        ring.authenticate(Headers(headers))
    return raised.value


def test_a_good_key_is_let_in_by_either_header(ring: KeyRing) -> None:
    for headers in (
        {"X-API-Key": GOOD},
        {"x-api-key": GOOD},
        {"Authorization": f"Bearer {GOOD}"},
        {"Authorization": f"bearer  {GOOD} "},
    ):
        assert ring.authenticate(Headers(headers)).name == "good"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": new_key()},
        {"X-API-Key": GOOD[:-1]},
        {"X-API-Key": GOOD + "x"},
        {"X-API-Key": GOOD.swapcase()},
        {"X-API-Key": key_hash(GOOD)},
        {"X-API-Key": EXPIRED},
        {"X-API-Key": "x" * 10_000},
        {"X-API-Key": "schlüssel\xff"},
        {"Authorization": GOOD},
        {"Authorization": f"Basic {GOOD}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
    ],
)
def test_everybody_else_is_asked_for_a_key(ring: KeyRing, headers: dict[str, str]) -> None:
    problem = refused(ring, headers)

    assert problem.status == 401
    assert problem.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_for_another_service_is_forbidden(ring: KeyRing) -> None:
    assert refused(ring, {"X-API-Key": OTHER}).status == 403


@pytest.fixture(scope="module")
def unused_ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """A ring with one key that no test presents."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    write_key_file(path, KeyFile(keys=(entry(new_key()),)))
    return KeyRing(path, "lever")


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_no_header_value_makes_it_fail_otherwise(unused_ring: KeyRing, value: str) -> None:
    assert refused(unused_ring, {"X-API-Key": value.translate(LINE_ENDS)}).status == 401
    assert refused(unused_ring, {"Authorization": value.translate(LINE_ENDS)}).status == 401


def test_every_entry_is_compared_whether_or_not_one_matches(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[str, str]] = []
    real = hmac.compare_digest

    def counting(one: str, other: str) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(api_keys.hmac, "compare_digest", counting)
    ring.authenticate({"X-API-Key": GOOD})
    refused(ring, {"X-API-Key": new_key()})

    assert len(compared) == 6


def test_new_keys_have_256_bits_and_differ() -> None:
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(len(key) == len("rts_") + 43 for key in keys)


def test_without_a_file_everybody_is_let_in() -> None:
    ring = KeyRing(None, "lever")

    assert ring.is_open
    assert ring.authenticate({}).name == "anonymous"


SECRET = "rts_this-must-not-be-seen"

BAD_FILES = {
    "empty": "",
    "not JSON": "{" + SECRET,
    "other JSON": json.dumps([SECRET]),
    "unknown field": json.dumps({"keys": [], SECRET: 1}),
    "unknown field of a key": json.dumps({"keys": [{SECRET: 1}]}),
    "a key in place of its hash": json.dumps(
        {"keys": [{"name": "x", "sha256": SECRET, "scopes": ["faq"]}]}
    ),
    "a key in place of the name": json.dumps(
        {"keys": [{"name": SECRET + "!", "sha256": "0" * 64, "scopes": ["faq"]}]}
    ),
    "an expiry without time zone": json.dumps(
        {"keys": [{"name": "x", "sha256": "0" * 64, "scopes": [], "expires": "2026-01-01"}]}
    ),
    "too large": " " * (2 << 20),
    "not UTF-8": b"\xff\xfe".decode("latin-1") + SECRET,
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_key_file_is_named_in_one_line_without_its_content(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(KeyFileError) as raised:
        read_key_file(path)

    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert SECRET not in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_key_file_that_cannot_be_read_ends_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyFileError):
        KeyRing(tmp_path / name, "lever")


def test_the_key_file_is_its_owners_only_and_holds_no_key(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert GOOD not in path.read_text()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_write_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_key_file(path, KeyFile(keys=()))

    assert len(read_key_file(path).keys) == 3
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.fixture
def followed(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the time pass after which the ring looks at its file again."""

    def pass_time() -> None:
        ring._checked_at -= 60

    return pass_time


def test_a_rotated_key_file_is_followed(
    ring: KeyRing, path: Path, followed: Callable[[], None]
) -> None:
    fresh = new_key()
    write_key_file(path, KeyFile(keys=(entry(fresh, "fresh"),)))
    followed()

    assert ring.authenticate({"X-API-Key": fresh}).name == "fresh"
    assert refused(ring, {"X-API-Key": GOOD}).status == 401


@pytest.mark.parametrize("content", [*BAD_FILES.values(), None], ids=[*BAD_FILES, "gone"])
def test_a_broken_new_file_keeps_the_keys_and_is_logged_without_its_content(
    ring: KeyRing,
    path: Path,
    followed: Callable[[], None],
    content: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="latin-1")
    followed()

    with caplog.at_level(logging.INFO):
        assert ring.authenticate({"X-API-Key": GOOD}).name == "good"

    assert "API keys kept as they were" in caplog.text
    assert SECRET not in caplog.text


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], AbstractContextManager[None]]:
    """Let the reads of a file fail for a while, which changes neither its time nor its size.

    As a mode does that forbids reading; the superuser, as whom tests may run, reads all the same.
    """

    @contextmanager
    def forbid(path: Path) -> Iterator[None]:
        read_bytes = Path.read_bytes

        def forbidden(asked: Path) -> bytes:
            if asked == path:
                raise PermissionError(13, "Permission denied")
            return read_bytes(asked)

        with monkeypatch.context() as during:
            during.setattr(Path, "read_bytes", forbidden)
            yield

    return forbid


def test_a_new_file_that_cannot_be_read_at_first_is_taken_once_it_can_be(
    ring: KeyRing,
    path: Path,
    followed: Callable[[], None],
    unreadable: Callable[[Path], AbstractContextManager[None]],
) -> None:
    fresh = new_key()
    write_key_file(path, KeyFile(keys=(entry(fresh, "fresh"),)))
    with unreadable(path):
        followed()
        assert ring.authenticate({"X-API-Key": GOOD}).name == "good"
    followed()

    assert ring.authenticate({"X-API-Key": fresh}).name == "fresh"
    assert refused(ring, {"X-API-Key": GOOD}).status == 401


def test_a_broken_file_is_logged_once_for_each_version_of_it(
    ring: KeyRing, path: Path, followed: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    def broken_lines() -> int:
        for _ in range(3):
            followed()
            ring.authenticate({"X-API-Key": GOOD})
        return caplog.text.count("API keys kept as they were")

    good = path.read_text()
    path.write_text("{")
    assert broken_lines() == 1
    path.write_text("{{")
    assert broken_lines() == 2
    path.write_text(good)
    assert broken_lines() == 2
    path.unlink()
    assert broken_lines() == 3


def test_a_file_that_comes_back_is_read_again(
    ring: KeyRing, path: Path, followed: Callable[[], None]
) -> None:
    content = path.read_text()
    path.unlink()
    followed()
    ring.authenticate({"X-API-Key": GOOD})
    path.write_text(content.replace('"good"', '"renamed"'))
    followed()

    assert ring.authenticate({"X-API-Key": GOOD}).name == "renamed"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveService, Path]]:
    """A service that needs a key, and its key file."""
    folder = tmp_path_factory.mktemp("guarded")
    path = folder / "keys.json"
    write_key_file(path, KeyFile(keys=(entry(GOOD, "good"), entry(OTHER, "other", "faq"))))
    with service(folder, "--keys", path, "--host", "0.0.0.0", "--no-access-log") as live:
        yield live, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "garbage"}, 401),
        ({"X-API-Key": "x" * 5000}, 401),
        ({"X-API-Key": "schl\xfcssel"}, 401),
        ({"X-API-Key": OTHER}, 403),
        ({"X-API-Key": GOOD}, 200),
        ({"Authorization": f"Bearer {GOOD}"}, 200),
    ],
)
def test_over_http_keys_are_checked(
    guarded: tuple[LiveService, Path], headers: dict[str, str], status: int
) -> None:
    answer = guarded[0].pull("hello", headers=headers)

    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", "/docs"])
def test_over_http_probes_and_documents_need_no_key(
    guarded: tuple[LiveService, Path], path: str
) -> None:
    assert guarded[0].get(path).status == 200


def test_over_http_a_key_file_replaced_under_load_fails_no_request(
    guarded: tuple[LiveService, Path],
) -> None:
    live, path = guarded
    old, fresh = path.read_text(), new_key()
    statuses: set[int] = set()
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            statuses.add(live.pull("x", headers={"X-API-Key": GOOD}).status)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        write_key_file(path, read_key_file(path))
        time.sleep(0.002)
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == {200}

    write_key_file(path, KeyFile(keys=(entry(fresh, "fresh"),)))
    time.sleep(2)
    assert live.pull("x", headers={"X-API-Key": fresh}).status == 200
    assert live.pull("x", headers={"X-API-Key": GOOD}).status == 401
    path.write_text(old)
    time.sleep(1.1)
    assert live.pull("x", headers={"X-API-Key": GOOD}).status == 200
