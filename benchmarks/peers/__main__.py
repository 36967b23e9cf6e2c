"""``python -m benchmarks.peers``: this project's services beside other model servers."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from benchmarks.machine import describe_machine
from benchmarks.models import KEPT, faq_model, small_image_model
from benchmarks.peers.kept_run import KeptRun, Place
from benchmarks.peers.measurement import Measured, open_seconds, use_the_other_core
from benchmarks.peers.plot import draw
from benchmarks.peers.roster import CONFIGURATIONS, OURS, PEERS
from benchmarks.peers.rounds import medians
from benchmarks.peers.side_by_side import Contender, one_round, steps
from benchmarks.peers.tables import result_of
from benchmarks.record import IMAGES, record

SERVICES = ("faq", "resnet")
SECONDS = 1.0
QUICK_SECONDS = 0.5
ROUNDS = 3
DEADLINE_SECONDS = 1.0


def main() -> int:
    """Measure what the command line asks for, print it, and record it where that is asked."""
    options = _parser().parse_args()
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    kept = KeptRun(KEPT / "peers" / f"{seconds:g}s")
    if options.fresh:
        kept.forget()
    print(describe_machine(), file=sys.stderr)
    services = options.service or SERVICES
    makers = {"faq": faq_model, "resnet": small_image_model}
    models = {service: makers[service]() for service in services}
    use_the_other_core()
    rounds = options.rounds or (1 if options.quick else ROUNDS)
    configurations = CONFIGURATIONS[-1:] if options.quick else CONFIGURATIONS
    lineup = order(options.peers, configurations)
    broke = False
    for service in services:
        found = [
            _round(number, service, lineup, models[service], seconds, kept)
            for number in range(1, rounds + 1)
        ]
        rows = [medians(each) for each in zip(*found, strict=True)]
        broke |= any(row.error for row in rows if row.server == OURS)
        result = result_of(service, rows, deadline=DEADLINE_SECONDS, rounds=rounds, seconds=seconds)
        print(result.text() + "\n", flush=True)
        if options.record:
            IMAGES.mkdir(parents=True, exist_ok=True)
            image = f"peers-{service}.png"
            draw(rows, IMAGES / image)
            record(replace(result, images=[image]))
    kept.forget()
    return int(broke)


def order(peers: Sequence[str], configurations: Sequence[str]) -> list[tuple[str, str]]:
    """Our service in both configurations, then the peers."""
    return [
        (server, configuration)
        for server in (OURS, *peers)
        for configuration in (CONFIGURATIONS if server == OURS else configurations)
    ]


def _round(
    number: int, service: str, lineup: Sequence[tuple[str, str]], model: Path, seconds: float,
    kept: KeptRun,
) -> list[Measured]:  # fmt: skip
    """One round's rows, those of an interrupted run if it had got through with it."""
    places = [Place(service, *each, number) for each in lineup]
    known = [row for place in places if (row := kept.find(place)) is not None]
    if len(known) == len(places):
        return known
    with tqdm(total=steps([name for name, _ in lineup]), unit="turn", disable=None) as bar:

        def say(step: str) -> None:
            bar.set_description(f"{service} {number} · {step}")
            bar.update()

        contenders = [
            Contender(PEERS[server], service, configuration, say)
            for server, configuration in lineup
        ]
        rows = one_round(contenders, model, seconds=seconds, deadline_seconds=DEADLINE_SECONDS)
    for place, row in zip(places, rows, strict=True):
        kept.keep(place, row)
        outcome = (
            row.error or f"ready in {row.ready_seconds:.1f} s, {row.saturation:,.1f} answers/s"
        )
        name = f"{service} {number} · {PEERS[row.server].title} {row.configuration}"
        print(f"{name}: {outcome}", file=sys.stderr)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    others = [name for name in PEERS if name != OURS]
    parser.add_argument("--peers", type=_names, default=others, metavar="NAME,…",
                        help=f"which of {', '.join(others)}; all by default")  # fmt: skip
    parser.add_argument("--service", action="append", choices=SERVICES,
                        help="one service, or both by default")  # fmt: skip
    parser.add_argument("--seconds", type=_seconds, default=0.0,
                        help=f"of callers' turns ({SECONDS:g}; quick: {QUICK_SECONDS:g}); arrivals go on "
                             f"for at least {open_seconds(0, DEADLINE_SECONDS):g}")  # fmt: skip
    parser.add_argument("--rounds", type=int, choices=range(1, 10), metavar="N",
                        help=f"how often each server is measured ({ROUNDS}; quick: once)")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="short loads, one round, peers tuned only: not to be quoted")  # fmt: skip
    parser.add_argument("--fresh", action="store_true",
                        help="begin anew where a run was interrupted in the last two hours")  # fmt: skip
    parser.add_argument("--record", action="store_true",
                        help="write benchmarks/results/ and docs/benchmarks.md")  # fmt: skip
    return parser


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PEERS or name == OURS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(unknown) or text!r}")
    return names


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= 60:
        raise argparse.ArgumentTypeError("must be from 0.5 to 60")
    return seconds


if __name__ == "__main__":
    # So that the server under measurement is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        raise SystemExit(130) from None
