"""An argument parser that never repeats a value it does not know, which may be a key."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from client.address import Address, read_address
from client.api_key import VARIABLE

OK, FAILED, USAGE, NOT_RECOVERED, INTERRUPTED = 0, 1, 2, 3, 130


class CommandFailed(Exception):
    """A command that cannot do what was asked; the message is the line its user sees."""


class UsageError(Exception):
    """Arguments that cannot be used together; the message is the line its user sees."""


class Parser(argparse.ArgumentParser):
    """Errors are one line and name unknown flags without their values."""

    def __init__(self, *arguments: object, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def parse(self, argv: list[str] | None) -> argparse.Namespace:
        """Parse all arguments; exits with status 2 on an error."""
        known, unknown = self.parse_known_args(argv)
        if unknown:
            flags = [each.partition("=")[0] for each in unknown if each.startswith("--")]
            if "--key" in flags:
                self.error(f"a key is never given by flag; use --key-file or {VARIABLE}")
            self.error(f"unknown: {' '.join(flags)}" if flags else "too many arguments")
        return known

    def error(self, message: str) -> NoReturn:
        """One line and status 2; a choice that is not one may be a misplaced key."""
        message = re.sub(r"invalid choice: .* \(choose", "not one of them (choose", message)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def number(least: float, most: float) -> Callable[[str], float]:
    """A type for numbers of a range."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError("not a number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least:g} to {most:g}")
        return value

    return convert


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A type for whole numbers of a range."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12):
            raise argparse.ArgumentTypeError("not a whole number")
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}")
        return int(text)

    return convert


def address(text: str) -> Address:
    """A type for service addresses."""
    try:
        return read_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_connection_flags(parser: argparse.ArgumentParser, default_text: str) -> None:
    """The flags that every command has to reach a service."""
    parser.add_argument(
        "--url", type=address, metavar="URL", help=f"address of the service [{default_text}]"
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help=f"file that holds the API key; otherwise the key is taken from {VARIABLE}",
    )
    parser.add_argument(
        "--key-over-plain-http",
        action="store_true",
        help="send the key to another machine without encryption, as inside a cluster",
    )
