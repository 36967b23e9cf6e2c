"""``load``: the load test."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from client.command_line.connection import FAQ, RESNET
from client.command_line.parsing import (
    CommandFailed,
    add_connection_flags,
    number,
    whole_number,
)

DESCRIPTION = """\
Measure a service as an open system.

First the most that it can do is found with 1, 2, 4, ... callers who ask again once answered, until
throughput stops growing (the saturation). Then requests arrive by a schedule that does not wait
for answers, at several shares of the saturation. Latency counts from the scheduled time, so a
service that stalls is charged for every request that was due meanwhile.
"""


def add_parser(commands: Any, epilog: str) -> None:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "load", help="measure a service under load", description=DESCRIPTION, epilog=epilog
    )
    parser.add_argument(
        "--service", required=True, choices=(FAQ.name, RESNET.name), help="which API to load"
    )
    _add_workload_flags(parser)
    _add_step_flags(parser)
    _add_limit_flags(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a .png or .svg picture")
    add_connection_flags(parser, f"{FAQ.help}; {RESNET.help}")
    parser.set_defaults(run=run)


def _add_workload_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--questions", type=Path, metavar="FILE",
        help="faq: questions to ask, one a line [default: 500 generated ones]",
    )  # fmt: skip
    parser.add_argument(
        "--picture", type=Path, metavar="FILE",
        help="resnet: the picture to send [default: a generated JPEG of 500x375]",
    )  # fmt: skip


def _add_step_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rates", type=_rates, default=(0.5, 0.8, 1.2, 3.0), metavar="P,P,...",
        help="offered rates in %% of the saturation [default 50,80,120,300]",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=number(0.1, 600), default=10.0, metavar="S",
        help="length of each step [default 10]",
    )  # fmt: skip
    parser.add_argument(
        "--arrivals", choices=("poisson", "constant"), default="poisson",
        help="distribution of the times between arrivals [default poisson]",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole_number(0, 2**31), default=1, metavar="N",
        help="seed of the arrivals [default 1]",
    )  # fmt: skip
    parser.add_argument(
        "--deadline-ms", type=whole_number(1, 600_000), default=1000, metavar="N",
        help="an answer later than this after its scheduled time is not good [default 1000]",
    )  # fmt: skip
    parser.add_argument(
        "--tell-deadline", action="store_true",
        help="tell the service the deadline by X-Request-Timeout-Ms",
    )  # fmt: skip
    parser.add_argument(
        "--recover", action="store_true",
        help="after the last step run the first one again; it must look the same",
    )  # fmt: skip
    parser.add_argument(
        "--saturation", type=number(0.001, 1_000_000), metavar="RATE",
        help="the saturation in requests/s, where it is known [default: measure it]",
    )  # fmt: skip
    parser.add_argument(
        "--level-seconds", type=number(0.1, 600), default=3.0, metavar="S",
        help="length of each level while measuring the saturation [default 3]",
    )  # fmt: skip
    parser.add_argument(
        "--max-callers", type=whole_number(1, 4096), default=128, metavar="N",
        help="most callers while measuring the saturation [default 128]",
    )  # fmt: skip


def _add_limit_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--connections", type=whole_number(1, 4096), default=256, metavar="N",
        help="most connections; beyond them requests wait, and their wait counts [default 256]",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=number(0.05, 600), default=10.0, metavar="S",
        help="give a request up so long after its scheduled time [default 10]",
    )  # fmt: skip
    parser.add_argument(
        "--max-requests", type=whole_number(1, 100_000_000), default=200_000, metavar="N",
        help="the whole test sends no more than this [default 200000]",
    )  # fmt: skip
    parser.add_argument(
        "--permit-host", metavar="HOST",
        help="load a host other than this machine: its name, once more, to say that you may",
    )  # fmt: skip


def run(flags: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the load test; imported late, because it needs more packages than asking does."""
    try:
        from client.command_line import load_run
    except ModuleNotFoundError as error:
        raise CommandFailed(f"the load test needs the package {error.name}") from None
    return load_run.run(flags, environment)


def _rates(text: str) -> tuple[float, ...]:
    try:
        rates = tuple(float(each) / 100 for each in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("not a list of numbers such as 50,80,120") from None
    if not all(math.isfinite(rate) and 0.01 <= rate <= 100 for rate in rates):
        raise argparse.ArgumentTypeError("each must be from 1 to 10000")
    return rates
