"""Checks that a script runs against a server, each by itself; it runs where only a client is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Check = Callable[["Target"], None]


@dataclass(frozen=True)
class Target:
    """A server, one of its models, and a row that the model takes."""

    address: str
    model: str
    input: str
    row: bytes
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key} if self.key else {}

    @property
    def is_text(self) -> bool:
        try:
            self.row.decode()
        except UnicodeDecodeError:
            return False
        return True


class CheckList:
    """Checks by name, in their order."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def __call__(self, check: Check) -> Check:
        self._checks[check.__name__] = check
        return check

    def main(self) -> None:
        """Run every check against the target of the command line; print what became of each."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--address", required=True, help="host:port")
        parser.add_argument("--model", required=True)
        parser.add_argument("--input", required=True, help="name of the BYTES input")
        parser.add_argument("--row", required=True, type=Path, help="file with one row")
        given = parser.parse_args()
        key = sys.stdin.readline().strip()
        target = Target(given.address, given.model, given.input, given.row.read_bytes(), key)
        outcomes = {name: outcome(check, target) for name, check in self._checks.items()}
        print(json.dumps(outcomes, indent=1))


def outcome(check: Check, target: Target) -> str:
    """ "ok", or the error in one line."""
    try:
        check(target)
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the outcome
        first = (str(error).splitlines() or [""])[0]
        return f"{type(error).__name__}: {first}"[:300]
    return "ok"
