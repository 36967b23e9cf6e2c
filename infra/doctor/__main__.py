"""Say whether tools, account and subscription will do for a stack, before anything is made.

Looks, and changes nothing. What the stack needs is read off its settings and off the program itself, which is
recorded as `python -m infra.plan` does.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from infra.planning.stacks import StackRefused, read_stack, record_stack
from infra.standard_output import forget_the_reader, print_json, screen

if TYPE_CHECKING:
    from infra.cost.retail_prices import RetailPrices
    from infra.doctor.azure import Azure
    from infra.doctor.examination import Check
    from infra.doctor.findings import Section
    from infra.doctor.needs import Needs
    from infra.doctor.report import Report
    from infra.settings import Settings

PROGRAM = "python -m infra.doctor"
REFUSED = 1
INTERRUPTED = 130
OFFLINE = "not looked at: --offline"
NOT_SIGNED_IN = "not signed in to Azure"

AzureOf = Callable[["Settings"], "Azure"]


def main(
    argv: Sequence[str] | None = None,
    *,
    azure_of: AzureOf | None = None,
    prices: RetailPrices | None = None,
) -> int:
    """Print the report; returns the exit status.

    Args:
        argv: the command line.
        azure_of: makes what asks Azure; None for Azure itself.
        prices: the price list; None for Azure's own.
    """
    flags = _parser().parse_args(argv)
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what went wrong is in the report
    status = 0
    try:
        report = _look(flags, azure_of or _azure, prices)
        status = report.exit_status
        _print(report, as_json=flags.json)
        sys.stdout.flush()
    except StackRefused as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        forget_the_reader()
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 all will do, 1 something would fail, 2 something could not be looked "
        "at (or wrong flags).\nWith DOCKER_HUB_TOKEN the sign-in at Docker Hub is tried, too. "
        "docs/preflight.md says what each line means.",
    )
    parser.add_argument(
        "stack", metavar="STACK", help="a stack's name (Pulumi.NAME.yaml), or a settings file"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON, for CI")
    parser.add_argument("--offline", action="store_true", help="look only at what needs no network")
    parser.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=_seconds,
        default=90.0,
        help="after so long, what has not answered could not be looked at (90)",
    )
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 3600")
    return value


def _look(flags: argparse.Namespace, azure_of: AzureOf, prices: RetailPrices | None) -> Report:
    from infra.doctor.report import Report

    stack, settings = read_stack(flags.stack, program=PROGRAM)
    recording = record_stack(stack, settings)
    from infra.doctor.matters import cost_check
    from infra.doctor.needs import needs_of

    needs = needs_of(settings, recording)
    cost = cost_check(stack, settings, recording, prices, os.environ, offline=flags.offline)
    sections = _sections(flags, settings, needs, azure_of, cost)
    return Report(
        stack=stack.stack,
        file=stack.shown,
        region=settings.location if needs.subscription_id else None,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        sections=sections,
        needs=_in_words(needs),
    )


def _sections(
    flags: argparse.Namespace,
    settings: Settings,
    needs: Needs,
    azure_of: AzureOf,
    cost: Check,
) -> list[Section]:
    from infra.doctor.examination import examine, skipped
    from infra.doctor.findings import Verdict
    from infra.doctor.matters import azure_checks, local_checks, sign_in_check

    local = local_checks(settings, needs)
    if needs.subscription_id is None:
        return list(examine(local, deadline_seconds=flags.deadline))
    azure = azure_of(settings)
    further = azure_checks(settings, needs, azure, os.environ)
    if flags.offline:
        sections = list(examine([*local, cost], deadline_seconds=flags.deadline))
        return [*sections[:-1], *(skipped(check, OFFLINE) for check in further), sections[-1]]
    further.append(cost)
    look = partial(examine, deadline_seconds=flags.deadline, since=time.monotonic())
    with _progress(len(local) + 1 + len(further)) as done:
        # Alone, so that a local program that hangs takes none of the time that Azure has.
        (signed_in,) = look([sign_in_check(settings, azure)], done=done)
        signed_out: list[Section] = []
        if any(each.verdict is Verdict.UNKNOWN for each in signed_in.findings):
            # Each would only say the same again, after asking for a token in vain.
            signed_out = [_unasked(check) for check in further if check.needs_sign_in]
            further = [check for check in further if not check.needs_sign_in]
        found = list(look([*local, *further], done=done))
    return [*found[: len(local)], signed_in, *signed_out, *found[len(local) :]]


def _unasked(check: Check) -> Section:
    from infra.doctor.findings import Section, unknown

    return Section(check.title, (unknown(check.title.lower(), NOT_SIGNED_IN),))


def _azure(settings: Settings) -> Azure:
    from infra.doctor.arm import Arm
    from infra.doctor.azure import Azure
    from infra.doctor.credentials import LazyCredential

    credential = LazyCredential(settings.tenant_id, os.environ)
    return Azure(settings.subscription_id or "", Arm(credential))


def _in_words(needs: Needs) -> list[str]:
    pools = [
        f"{pool.name}: {pool.fewest} to {pool.most} × {pool.vm_size}"
        + (", spot" if pool.spot else "")
        + (f", zones {', '.join(pool.zones)}" if pool.zones else "")
        for pool in needs.pools
    ]
    number = sum(needs.counts.values())
    return [*pools, f"{number} Azure resources of {len(needs.counts)} types"] if number else pools


@contextlib.contextmanager
def _progress(total: int) -> Generator[Callable[[str], None]]:
    """A bar on the terminal while Azure answers; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _title: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking Azure", total=total)

        def done(title: str) -> None:
            bar.update(task, advance=1, description=title.lower())

        yield done


def _print(report: Report, *, as_json: bool) -> None:
    from infra.doctor.report import document, lines

    if as_json:
        print_json(document(report))
        return
    for line in lines(report, screen()):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
