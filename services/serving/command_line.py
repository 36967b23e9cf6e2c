"""Command lines made from settings classes: a flag and an environment variable per setting.

A flag wins over the environment variable, which wins over the default. Bad input ends with one
line per error and status 2, a failure of the command with one line and status 1, Ctrl-C with 130.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar, cast, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from pydantic_settings.exceptions import SettingsError

Settings = TypeVar("Settings", bound=BaseSettings)

FAILED, USAGE, INTERRUPTED = 1, 2, 130


class CommandFailed(Exception):
    """A command that cannot do what was asked; the message is the line its user sees."""


@dataclass(frozen=True)
class Command(Generic[Settings]):
    """One subcommand: its settings are its flags."""

    name: str
    help: str
    settings: type[Settings]
    run: Callable[[Settings], None]


def main(
    prog: str, description: str, commands: Sequence[Command[Any]], argv: Sequence[str] | None = None
) -> int:
    """Parse ``argv``, run the command that it names and return the exit status."""
    arguments = vars(_parsed(_parser(prog, description, commands), argv))
    chosen = arguments.pop("command")
    command = next(each for each in commands if each.name == chosen)
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = command.settings(**given)
    except (ValidationError, SettingsError) as error:
        for line in _error_lines(error, command.settings):
            print(f"{prog} {command.name}: {line}", file=sys.stderr)
        return USAGE
    try:
        command.run(settings)
    except CommandFailed as error:
        print(f"{prog} {command.name}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        reason = error.strerror or type(error).__name__
        place = f"{error.filename}: " if error.filename else ""
        print(f"{prog} {command.name}: {place}{reason}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{prog} {command.name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def flag(name: str) -> str:
    """The command line flag of a setting."""
    return "--" + name.replace("_", "-")


def environment_variable(settings: type[BaseSettings], name: str) -> str:
    """The environment variable of a setting."""
    return (str(settings.model_config.get("env_prefix", "")) + name).upper()


def _parsed(parser: _OneLineParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse, and have what is wrong said by the command, whose help lists its flags."""
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.commands[arguments.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong without repeating every flag."""

    commands: Mapping[str, argparse.ArgumentParser]

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser(prog: str, description: str, commands: Sequence[Command[Any]]) -> _OneLineParser:
    parser = _OneLineParser(prog=prog, description=description)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parser.commands = subparsers.choices
    for command in commands:
        subparser = subparsers.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        for name, field in command.settings.model_fields.items():
            if not _is_secret(field):
                _add_flag(subparser, command.settings, name, field)
    return parser


def _add_flag(
    parser: argparse.ArgumentParser, settings: type[BaseSettings], name: str, field: FieldInfo
) -> None:
    variable = environment_variable(settings, name)
    if field.is_required():
        default = ", required"
    else:
        value = cast("object", field.get_default(call_default_factory=True, validated_data={}))
        default = "" if value in (None, "") else f", default {value}"
    form = " (a JSON list)" if _is_repeated(field) else ""
    text = f"{field.description or ''} [{variable}{form}{default}]".strip().replace("%", "%%")
    if field.annotation is bool:
        parser.add_argument(
            flag(name), dest=name, help=text, action=argparse.BooleanOptionalAction, default=None
        )
    elif _is_repeated(field):
        parser.add_argument(
            flag(name), dest=name, help=text, nargs="+", action="extend",
            metavar=_metavar(field), default=None,
        )  # fmt: skip
    else:
        parser.add_argument(flag(name), dest=name, help=text, metavar=_metavar(field), default=None)


def _is_secret(field: FieldInfo) -> bool:
    """Flags are seen by every user of the machine: a secret is read from the environment only."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _is_repeated(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) in (list, tuple)


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _metavar(field: FieldInfo) -> str:
    annotation = field.annotation
    candidates = cast("tuple[object, ...]", get_args(annotation) or (annotation,))
    words = [each for each in candidates if isinstance(each, str)]
    if len(words) == len(candidates):
        return "|".join(words)
    names = [getattr(each, "__name__", "") for each in candidates if each is not type(None)]
    metavars = {"int": "N", "float": "X", "Path": "PATH", "date": "DATE"}
    return metavars.get(names[0], "TEXT") if names else "TEXT"


def _error_lines(error: ValidationError | SettingsError, settings: type[BaseSettings]) -> list[str]:
    if isinstance(error, SettingsError):
        repeated = [name for name, field in settings.model_fields.items() if _is_repeated(field)]
        variables = [environment_variable(settings, name) for name in repeated]
        wrong = [
            each for each in variables if each in os.environ and not _is_list(os.environ[each])
        ]
        return [f'{each}: must be a JSON list, such as ["faq"]' for each in wrong] or [
            str(error).splitlines()[0]
        ]
    lines: list[str] = []
    for entry in error.errors(include_url=False, include_context=False, include_input=False):
        message = entry["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        if entry["loc"]:
            name = str(entry["loc"][0])
            message = f"{flag(name)} ({environment_variable(settings, name)}): {message}"
        lines.append(message)
    return lines
