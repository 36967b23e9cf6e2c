"""Downloads that are resumed, bounded and checked before anyone sees the file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tqdm import tqdm

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
ATTEMPTS = 3
NOT_THERE = (401, 403, 404, 405, 410)
"""What servers answer for a file that is not there; S3 says 403, for one."""
INTERRUPTIONS = (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError)
"""What is worth another attempt; an address that cannot be reached at all is not."""


class DownloadError(Exception):
    """A download that failed; the message is one line and says what to do."""


class NotThere(DownloadError):
    """The server has no such file."""


class TooLarge(Exception):
    """More bytes than the caller allows."""


def download(
    url: str,
    destination: Path,
    *,
    sha256: str | None = None,
    sha256_prefix: str | None = None,
    max_bytes: int = 4 << 30,
    progress: bool = True,
) -> str:
    """Fetch ``url`` to ``destination`` and return the file's SHA-256 in hex.

    What arrived of an interrupted download stays in ``destination`` + ``.part`` and is resumed,
    if the server still has the same file (its ETag or Last-Modified date, RFC 9110 section 13.1.5).
    A file with the wrong hash is deleted.

    Raises:
        DownloadError: the URL is not http(s), cannot be reached, is too large or has another hash;
            NotThere where the server has no such file.
    """
    shown = without_secrets(url)
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(destination.name + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(url, shown, part, max_bytes=max_bytes, progress=progress)
            break
        except httpx.RequestError as error:
            if attempt == ATTEMPTS or not isinstance(error, INTERRUPTIONS):
                raise DownloadError(f"{shown}: cannot be fetched ({_reason(error)})") from None
        except httpx.InvalidURL:
            raise DownloadError(f"{shown}: is not a valid address") from None
        except TooLarge:
            _forget(part)
            raise DownloadError(
                f"{shown}: is larger than the limit of {max_bytes:,} bytes"
            ) from None
    return _accept(shown, part, destination, sha256=sha256, sha256_prefix=sha256_prefix)


def without_secrets(url: str) -> str:
    """The address as a message may show it: without user, password and query.

    Raises:
        DownloadError: it is not an http(s) address.
    """
    try:
        address = urlsplit(url)
        place = f"{address.hostname}:{address.port}" if address.port else address.hostname
    except ValueError:
        raise DownloadError("the address to fetch is not valid") from None
    if address.scheme not in ("http", "https") or not place:
        raise DownloadError(
            f"{address.scheme or 'no scheme'}: only http and https addresses can be fetched"
        )
    return f"{address.scheme}://{place}{address.path}"


def _fetch(url: str, shown: str, part: Path, *, max_bytes: int, progress: bool) -> None:
    validator = part.with_name(part.name + ".etag")
    offset = part.stat().st_size if part.exists() and validator.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": validator.read_text()}
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as got:
        if got.status_code == 416 and offset:
            return
        if got.status_code not in (200, 206):
            failure = NotThere if got.status_code in NOT_THERE else DownloadError
            raise failure(f"{shown}: the server answered {got.status_code}")
        resumed = got.status_code == 206
        if resumed and not got.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise DownloadError(f"{shown}: the server answered with another part of the file")
        offset = offset if resumed else 0
        _remember_validator(validator, got.headers)
        total = offset + int(got.headers.get("Content-Length", 0)) or None
        if (total or 0) > max_bytes:
            raise TooLarge
        with (
            part.open("ab" if offset else "wb") as stream,
            tqdm(
                total=total, initial=offset, unit="B", unit_scale=True, desc=part.stem,
                disable=None if progress else True,
            ) as bar,
        ):  # fmt: skip
            # As they come: httpx would throw away what it has when it waits for a full piece.
            for piece in got.iter_raw():
                if stream.tell() + len(piece) > max_bytes:
                    raise TooLarge
                stream.write(piece)
                bar.update(len(piece))
            stream.flush()
            os.fsync(stream.fileno())


def _remember_validator(path: Path, headers: httpx.Headers) -> None:
    etag = headers.get("ETag", "")
    strong = etag if not etag.startswith("W/") else ""
    validator = strong or headers.get("Last-Modified", "")
    if validator and validator.isascii():
        path.write_text(validator)
    else:
        path.unlink(missing_ok=True)


def _accept(
    shown: str, part: Path, destination: Path, *, sha256: str | None, sha256_prefix: str | None
) -> str:
    digest = hashlib.sha256()
    with part.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    actual = digest.hexdigest()
    expected = (sha256 or sha256_prefix or "").lower()
    if not (actual == expected if sha256 else actual.startswith(expected)):
        _forget(part)
        raise DownloadError(
            f"{shown}: has SHA-256 {actual[:16]}…, expected {expected[:16]}…; the file was deleted"
        )
    part.replace(destination)
    _forget(part)
    return actual


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".etag").unlink(missing_ok=True)


def _reason(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
