"""Entry of the command line: one function a command, one line an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from client.command_line import ask, classify, load
from client.command_line.parsing import (
    FAILED,
    INTERRUPTED,
    USAGE,
    CommandFailed,
    Parser,
    UsageError,
)
from client.errors import ScoringError

EXIT_STATUS = """\
exit status:
  0    done
  1    the service could not be reached or refused; a file failed
  2    the command line is wrong
  3    load --recover: the service did not recover
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` names; returns the exit status."""
    parser = Parser(
        prog="python -m client",
        description="Ask the scoring services, and measure them under load.",
        epilog=EXIT_STATUS,
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    for command in (ask, classify, load):
        command.add_parser(commands, EXIT_STATUS)
    flags = parser.parse(list(argv) if argv is not None else None)
    prog = f"{parser.prog} {flags.command}"
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        return flags.run(flags, os.environ)
    except UsageError as error:
        return _say(prog, str(error), USAGE)
    except (CommandFailed, ScoringError) as error:
        return _say(prog, str(error), FAILED)
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter must not try to flush it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _say(prog, f"{place}{error.strerror or type(error).__name__}", FAILED)
    except KeyboardInterrupt:
        return _say(prog, "interrupted", INTERRUPTED)


def _say(prog: str, line: str, status: int) -> int:
    print(f"{prog}: {line}", file=sys.stderr)
    return status
