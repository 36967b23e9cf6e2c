"""API keys: 256-bit random keys, of which the key file holds only names, scopes and SHA-256.

A key is random, so one SHA-256 is as strong as a slow password hash and costs a microsecond.
The file is re-read when it changes, as a mounted Kubernetes Secret does on rotation; a new
version that cannot be read leaves the keys as they were.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.serving.header_values import HeaderValues
from services.serving.problem import Problem

log = logging.getLogger(__name__)

FILE_LIMIT = 1 << 20
KEY_LIMIT = 256
RECHECK_SECONDS = 1.0
PREFIX = "rts_"
Signature = tuple[int, int, int]
"""What tells one version of a file from another: inode, time of change, size."""


class ApiKey(BaseModel):
    """One entry of the key file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: frozenset[str]
    expires: AwareDatetime | None = None
    requests_per_second: float | None = Field(default=None, gt=0)


class KeyFile(BaseModel):
    """The key file: ``{"keys": [{"name", "sha256", "scopes", "expires"?}, …]}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[ApiKey, ...] = Field(max_length=1000)


class KeyFileError(Exception):
    """A key file that cannot be used; the message names it and says why, without its content."""


ANONYMOUS = ApiKey(name="anonymous", sha256="0" * 64, scopes=frozenset())


def new_key() -> str:
    """A new random key of 256 bits."""
    return PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """SHA-256 of a key in hex, as the key file holds it."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def read_key_file(path: Path) -> KeyFile:
    """Read a key file.

    Raises:
        KeyFileError: it is missing, too large or not a key file.
    """
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise KeyFileError(f"{path}: is larger than {FILE_LIMIT:,} bytes")
        return KeyFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise KeyFileError(f"{path}: not a key file: {_first_fault(error)}") from None


def write_key_file(path: Path, content: KeyFile) -> None:
    """Write a key file, readable by its owner only, under another name first."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content.model_dump_json(indent=2, exclude_none=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class KeyRing:
    """The keys of one service.

    Args:
        path: the key file; None lets everybody in (loopback only).
        scope: the scope that a key needs.

    Raises:
        KeyFileError: the file cannot be used at the start.
    """

    def __init__(self, path: Path | None, scope: str) -> None:
        self._path = path
        self._scope = scope
        self._lock = threading.Lock()
        self._checked_at = time.monotonic()
        self._signature = _signature(path)
        self._told: Signature | None = None
        self._keys = read_key_file(path).keys if path else ()

    @property
    def is_open(self) -> bool:
        """Whether the service takes requests without a key."""
        return self._path is None

    def authenticate(self, headers: HeaderValues) -> ApiKey:
        """The entry of the key that a request carries.

        Raises:
            Problem: 401 without a valid key, 403 if the key is not for this service.
        """
        if self._path is None:
            return ANONYMOUS
        self._reload_if_changed()
        entry = self._find(presented_key(headers))
        if entry is None:
            raise unauthorised("A valid API key is needed.")
        if entry.expires is not None and entry.expires <= datetime.now(UTC):
            raise unauthorised("The API key has expired.")
        if self._scope not in entry.scopes:
            raise Problem(403, "The API key is not for this service.", reason="scope")
        return entry

    def _find(self, key: str) -> ApiKey | None:
        """Compare with every entry, always all of them, each in constant time."""
        hashed = key_hash(key)
        found: ApiKey | None = None
        for entry in self._keys:
            if hmac.compare_digest(hashed, entry.sha256):
                found = entry
        return found

    def _reload_if_changed(self) -> None:
        now = time.monotonic()
        if now - self._checked_at < RECHECK_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._checked_at = now
            signature = _signature(self._path)
            if signature == self._signature or self._path is None:
                return
            self._replace_keys(self._path, signature)
        finally:
            self._lock.release()

    def _replace_keys(self, path: Path, signature: Signature | None) -> None:
        """Take the keys of a changed file.

        A file that cannot be read is tried again at the next look, because what makes it readable
        (its mode, the end of a disk's fault) need not change its signature; it is told of once.
        """
        try:
            self._keys = read_key_file(path).keys
        except KeyFileError as error:
            if signature != self._told:
                log.error("API keys kept as they were: %s", error)
            self._told = signature
            return
        self._signature, self._told = signature, None
        log.info("API keys re-read", extra={"keys": len(self._keys)})


def presented_key(headers: HeaderValues) -> str:
    """The key of ``X-API-Key`` or ``Authorization: Bearer``; a Problem of 401 without one."""
    key = headers.get("X-API-Key", "")
    if not key:
        scheme, _, credentials = headers.get("Authorization", "").partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
    if not key:
        raise unauthorised("An API key is needed: X-API-Key or Authorization: Bearer.")
    if len(key) > KEY_LIMIT:
        raise unauthorised("A valid API key is needed.")
    return key


def unauthorised(detail: str) -> Problem:
    """A 401 with the challenge that RFC 9110 section 11.6.1 asks for."""
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"}, reason="key")


def _first_fault(error: ValidationError) -> str:
    """Where the file is wrong and why. A field's name is told only if it is one of ours."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    known = {*KeyFile.model_fields, *ApiKey.model_fields}
    place = ".".join(
        str(part) if isinstance(part, int) or part in known else "?" for part in first["loc"]
    )
    return f"{place}: {first['msg']}" if place else first["msg"]


def _signature(path: Path | None) -> Signature | None:
    try:
        status = path.stat() if path else None
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size) if status else None
