"""``classify``: the most probable classes of pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from client.answers import Classification
from client.command_line.ask import add_answer_flags, retries_of
from client.command_line.bars import needs_ascii, ranked_line
from client.command_line.connection import RESNET, chosen_address, chosen_key
from client.command_line.parsing import FAILED, OK, add_connection_flags, whole_number
from client.command_line.plain_text import printable
from client.errors import ScoringError
from client.scoring_client import ScoringClient


def add_parser(commands: Any, epilog: str) -> None:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "classify",
        help="name what pictures show",
        description="Name what pictures show, most probable first. A file that fails does not "
        "stop the others.",
        epilog=epilog,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture")
    parser.add_argument(
        "--top-k", type=whole_number(1, 1000), metavar="N", help="show at most N classes"
    )
    add_answer_flags(parser)
    add_connection_flags(parser, RESNET.help)
    parser.set_defaults(run=run)


def run(flags: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Classify one file after another and print each result as it comes."""
    address = chosen_address(flags, RESNET, environment)
    files: list[Path] = flags.files
    status = OK
    with ScoringClient(
        str(address),
        chosen_key(flags, address, environment),
        timeout=flags.timeout,
        retries=retries_of(flags),
        key_over_plain_http=flags.key_over_plain_http,
    ) as client:
        for file in files:
            try:
                classification = client.classify(file, top_k=flags.top_k)
            except (ScoringError, ValueError, OSError) as error:
                print(f"{printable(str(file))}: {_reason(error)}", file=sys.stderr)
                status = FAILED
            else:
                _print(file, classification, as_json=flags.json)
    return status


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


def _print(file: Path, classification: Classification, *, as_json: bool) -> None:
    name = printable(str(file))
    if as_json:
        # One document a line, so that results can be read as they come.
        print(json.dumps({"file": name, **asdict(classification)}, ensure_ascii=False), flush=True)
        return
    print(name)
    ascii_only = needs_ascii(sys.stdout)
    for place, each in enumerate(classification.predictions, 1):
        label = printable(each.label)
        print(ranked_line(place, each.score, label, ascii_only=ascii_only), flush=True)
