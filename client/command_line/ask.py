"""``ask``: the known questions that a question may duplicate."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from client.answers import Attribution, Match, MatchAnswer
from client.command_line.bars import indented, needs_ascii, ranked_line
from client.command_line.connection import FAQ, chosen_address, chosen_key
from client.command_line.parsing import (
    OK,
    UsageError,
    add_connection_flags,
    number,
    whole_number,
)
from client.command_line.plain_text import plain_text, printable
from client.retrying import NO_RETRIES, Retries
from client.scoring_client import DEFAULT_TIMEOUT, ScoringClient

INPUT_LIMIT = 1 << 20
INDENT = " " * 10


def add_parser(commands: Any, epilog: str) -> None:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "ask",
        help="find the known questions that a question duplicates",
        description="Find the known questions that a question duplicates, most probable first.",
        epilog=epilog,
    )
    parser.add_argument("question", metavar="QUESTION", help="the question; - reads it from input")
    parser.add_argument(
        "--answer", action="store_true", help="show the answer of the first match, and whose it is"
    )
    parser.add_argument(
        "--top-k", type=whole_number(1, 1000), metavar="N", help="show at most N questions"
    )
    parser.add_argument(
        "--min-score", type=number(0, 1), metavar="X", help="show those of probability X or more"
    )
    add_answer_flags(parser)
    add_connection_flags(parser, FAQ.help)
    parser.set_defaults(run=run)


def add_answer_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of both commands that ask one thing."""
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument(
        "--timeout",
        type=number(0.01, 600),
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=f"give up after so long, tries and waits together [default {DEFAULT_TIMEOUT:g}]",
    )
    parser.add_argument(
        "--no-retry", action="store_true", help="do not try again when refused for the moment"
    )


def retries_of(flags: argparse.Namespace) -> Retries:
    """What ``--no-retry`` says."""
    return NO_RETRIES if flags.no_retry else Retries()


def run(flags: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Ask and print."""
    address = chosen_address(flags, FAQ, environment)
    question = _question(flags.question)
    with ScoringClient(
        str(address),
        chosen_key(flags, address, environment),
        timeout=flags.timeout,
        retries=retries_of(flags),
        key_over_plain_http=flags.key_over_plain_http,
    ) as client:
        answer = client.match(
            question, top_k=flags.top_k, min_score=flags.min_score, include_answers=flags.answer
        )
    if flags.json:
        print(json.dumps(asdict(answer), indent=2, ensure_ascii=False))
    else:
        _print(answer, with_answer=flags.answer)
    return OK


def _question(argument: str) -> str:
    if argument == "-":
        content = sys.stdin.buffer.read(INPUT_LIMIT + 1)
    else:
        content = argument.encode("utf-8", "surrogateescape")
    if len(content) > INPUT_LIMIT:
        raise UsageError("the question is larger than 1 MiB")
    try:
        question = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UsageError("the question is not UTF-8 text") from None
    if not question:
        raise UsageError("the question is empty")
    return question


def _print(answer: MatchAnswer, *, with_answer: bool) -> None:
    if answer.low_signal or not answer.matches:
        print("no match")
        return
    ascii_only = needs_ascii(sys.stdout)
    width = max(40, min(100, shutil.get_terminal_size().columns))
    for place, match in enumerate(answer.matches, 1):
        title = " ".join(printable(match.title).split())
        print(ranked_line(place, match.score, title, ascii_only=ascii_only))
        if match.url or match.source_id:
            print(f"{INDENT}{_one_line(match.url or match.source_id)}")
        if place == 1 and with_answer and match.answer:
            print(f"\n{indented(plain_text(match.answer), INDENT, width)}\n")
            print("".join(f"{INDENT}{line}\n" for line in _sources(match)), end="")


def _sources(match: Match) -> list[str]:
    """Whose the shown texts are, as their licence wants it said."""
    both = (("Question", match.attribution), ("Answer", match.answer_attribution))
    lines = [_source(what, attribution) for what, attribution in both if attribution]
    return [line for line in lines if line]


def _source(what: str, attribution: Attribution) -> str:
    author = " by ".join(filter(None, (what, attribution.author)))
    parts = [
        _with_address(author, attribution.author_url),
        attribution.url,
        _with_address(attribution.licence, attribution.licence_url),
    ]
    known = [_one_line(part) for part in parts if part and part != what]
    return f"{'' if known[0].startswith(what) else f'{what}: '}{', '.join(known)}" if known else ""


def _with_address(text: str | None, address: str | None) -> str:
    return f"{text or ''} <{address}>".strip() if address else text or ""


def _one_line(text: str | None) -> str:
    return " ".join(printable(text or "").split())
