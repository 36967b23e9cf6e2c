"""Commands that add, list and remove the keys of a key file.

A key is shown once, when it is made: the file holds only its SHA-256.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.serving.api_keys import (
    ApiKey,
    KeyFile,
    KeyFileError,
    key_hash,
    new_key,
    read_key_file,
    write_key_file,
)
from services.serving.command_line import Command, CommandFailed

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Scope = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
"""The name of a service: a comma in it would be two of them, of which neither opens."""


class KeyFileSettings(BaseSettings):
    """Which key file."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="KEYS_", env_ignore_empty=True
    )

    file: Path = Field(description="key file (JSON)")


class AddSettings(KeyFileSettings):
    """A new key."""

    name: str = Field(pattern=NAME, description="who the key is for")
    scopes: list[Scope] = Field(
        min_length=1, description="services that it opens, such as faq resnet"
    )
    expires_days: float | None = Field(
        default=None, gt=0, le=36500, description="days until it expires; never, if left out"
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, description="its own rate; the service's, if left out"
    )
    output: Path | None = Field(
        default=None, description="new file, for its owner only, for the key; instead of printing"
    )


class RemoveSettings(KeyFileSettings):
    """A key to remove."""

    name: str = Field(pattern=NAME, description="whose key to remove")


def add(settings: AddSettings) -> None:
    """Add a key and print it, or write it to a file, this once.

    Raises:
        CommandFailed: the name is taken, or a file cannot be used.
    """
    key = new_key()
    expires = None
    if settings.expires_days is not None:
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=settings.expires_days)
    with _locked(settings.file):
        present = _read(settings.file).keys if settings.file.exists() else ()
        if any(entry.name == settings.name for entry in present):
            raise CommandFailed(f"{settings.file}: there is a key for {settings.name} already")
        entry = ApiKey(
            name=settings.name,
            sha256=key_hash(key),
            scopes=frozenset(settings.scopes),
            expires=expires,
            requests_per_second=settings.requests_per_second,
        )
        try:
            content = KeyFile(keys=(*present, entry))
        except ValidationError:
            raise CommandFailed(f"{settings.file}: holds as many keys as it can") from None
        if settings.output is not None:
            _write_key(settings.output, key)
        write_key_file(settings.file, content)
    if settings.output is None:
        sys.stdout.write(key + "\n")


def list_keys(settings: KeyFileSettings) -> None:
    """Print name, scopes and expiry of every key, separated by tabs."""
    now = datetime.now(UTC)
    for entry in _read(settings.file).keys:
        if entry.expires is None:
            expiry = "never expires"
        else:
            verb = "expired" if entry.expires <= now else "expires"
            expiry = f"{verb} {entry.expires.isoformat(timespec='seconds')}"
        sys.stdout.write(f"{entry.name}\t{' '.join(sorted(entry.scopes))}\t{expiry}\n")


def remove(settings: RemoveSettings) -> None:
    """Remove a key; services that read the file refuse it within two seconds.

    Raises:
        CommandFailed: there is no such key, or the file cannot be used.
    """
    with _locked(settings.file):
        present = _read(settings.file).keys
        kept = tuple(entry for entry in present if entry.name != settings.name)
        if len(kept) == len(present):
            raise CommandFailed(f"{settings.file}: there is no key for {settings.name}")
        write_key_file(settings.file, KeyFile(keys=kept))


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Keep two commands from overwriting each other's change: both read, then replace the file."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> KeyFile:
    try:
        return read_key_file(path)
    except KeyFileError as error:
        raise CommandFailed(str(error)) from None


def _write_key(path: Path, key: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(key + "\n")


KEY_COMMANDS = [
    Command("add", "Add a key and print it, this once.", AddSettings, add),
    Command("list", "List names, scopes and expiry.", KeyFileSettings, list_keys),
    Command("remove", "Remove a key.", RemoveSettings, remove),
]
