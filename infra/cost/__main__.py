"""Estimate what a stack costs in a month, at its fewest and its most nodes, by Azure's public retail prices.

Prices are kept in a file with their date, and asked for again after a week; --offline takes them as they are.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.planning.stacks import StackRefused, read_stack, record_stack
from infra.standard_output import forget_the_reader, print_json, screen

if TYPE_CHECKING:
    from infra.cost.report import Estimate

PROGRAM = "python -m infra.cost"
FAILED = 1
UNKNOWN = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None, *, address: str | None = None) -> int:
    """Print the estimate; returns the exit status.

    Args:
        argv: the command line.
        address: of the price list; None for Azure's.
    """
    flags = _parser().parse_args(argv)
    from infra.cost.price_book import NoPrices

    try:
        _print(_estimate(flags, address), as_json=flags.json)
        sys.stdout.flush()
    except StackRefused as refused:
        print(refused, file=sys.stderr)
        return FAILED
    except NoPrices as none:
        print(f"{PROGRAM}: {none}", file=sys.stderr)
        return UNKNOWN
    except BrokenPipeError:
        forget_the_reader()
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0, 1 for a stack that cannot be read, 2 where there are no prices (or "
        "for wrong flags).",
    )
    parser.add_argument(
        "stack", metavar="STACK", help="a stack's name (Pulumi.NAME.yaml), or a settings file"
    )
    parser.add_argument("--json", action="store_true", help="the estimate as JSON")
    parser.add_argument(
        "--currency", type=_currency, default="USD", help="ISO 4217 code, such as EUR (USD)"
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--offline", action="store_true", help="ask nobody: prices of the file")
    when.add_argument("--refresh", action="store_true", help="ask for all prices again")
    parser.add_argument(
        "--prices",
        metavar="FILE",
        type=Path,
        help="where prices are kept (~/.cache/realtime-scoring/prices-CURRENCY.json)",
    )
    parser.add_argument(
        "--log-gb-per-day",
        metavar="GB",
        type=_amount,
        help="logs in a day (from none to the stack's daily cap)",
    )
    parser.add_argument(
        "--traffic-gb",
        metavar="GB",
        type=_amount,
        help="gigabytes through load balancer and NAT gateway in a month (not priced)",
    )
    return parser


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no currency: three letters, such as EUR")
    return text.upper()


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of gigabytes")
    return value


def _estimate(flags: argparse.Namespace, address: str | None) -> Estimate:
    stack, settings = read_stack(flags.stack, program=PROGRAM)
    from infra.cost.estimating import estimate
    from infra.cost.lines import Traffic
    from infra.cost.price_book import PriceBook, default_path
    from infra.cost.retail_prices import ADDRESS, RetailPrices

    if settings.is_local:
        raise StackRefused(f"{stack.shown}: runs on this machine, and costs nothing at Azure")
    recording = record_stack(stack, settings)
    book = PriceBook(
        flags.prices or default_path(flags.currency, os.environ),
        flags.currency,
        ask=None if flags.offline else RetailPrices(address or ADDRESS).ask,
        refresh=flags.refresh,
        named=flags.prices is not None,
    )
    with _progress() as done:
        return estimate(
            stack, settings, recording, book,
            currency=flags.currency,
            traffic=Traffic(flags.log_gb_per_day, flags.traffic_gb),
            done=done,
        )  # fmt: skip


@contextlib.contextmanager
def _progress() -> Generator[Callable[[str], None]]:
    """What is being asked for, on the terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _filter: None
        return
    from rich.console import Console

    with Console(stderr=True).status("asking for prices") as status:

        def done(filter_: str) -> None:
            status.update(f"asking for prices: {filter_}")

        yield done


def _print(estimate: Estimate, *, as_json: bool) -> None:
    from infra.cost.report import document, lines

    if as_json:
        print_json(document(estimate))
        return
    for line in lines(estimate, screen()):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
