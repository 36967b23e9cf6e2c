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
from benchmarks.peers.measurement import Measured, measure, use_the_other_core
from benchmarks.peers.one_speed import at_one_speed, medians, speeds_of
from benchmarks.peers.plot import draw
from benchmarks.peers.roster import CONFIGURATIONS, OURS, PEERS
from benchmarks.peers.tables import result_of
from benchmarks.record import IMAGES, record

SERVICES = ("faq", "resnet")
SECONDS = 2.5
QUICK_SECONDS = 1.0
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
    places = [
        place
        for service in services
        for place in order(service, options.peers, rounds=rounds, configurations=configurations)
    ]
    with tqdm(total=len(places), unit="server", disable=None) as bar:
        found = [(place, _row(place, models, seconds, kept, bar)) for place in places]
    for service in services:
        measured = [(place, row) for place, row in found if place.service == service]
        alike = at_one_speed([row for _, row in measured])
        rows = merged([(place, row) for (place, _), row in zip(measured, alike, strict=True)])
        result = result_of(
            service, rows, deadline=DEADLINE_SECONDS, rounds=rounds, seconds=seconds,
            speeds=speeds_of([row for _, row in measured]),
        )  # fmt: skip
        print(result.text() + "\n", flush=True)
        if options.record:
            IMAGES.mkdir(parents=True, exist_ok=True)
            image = f"peers-{service}.png"
            draw(rows, IMAGES / image)
            record(replace(result, images=[image]))
    kept.forget()
    return int(any(row.error for place, row in found if place.server == OURS))


def order(
    service: str,
    peers: Sequence[str],
    *,
    rounds: int,
    configurations: Sequence[str] = CONFIGURATIONS,
) -> list[Place]:
    """Every round has our service in both configurations, then the peers."""
    return [
        Place(service, server, configuration, number + 1)
        for number in range(rounds)
        for server in (OURS, *peers)
        for configuration in (CONFIGURATIONS if server == OURS else configurations)
    ]


def merged(found: Sequence[tuple[Place, Measured]]) -> list[Measured]:
    """One row for each server and configuration, ours first."""
    rounds: dict[tuple[str, str], list[Measured]] = {}
    for place, row in found:
        rounds.setdefault((place.server, place.configuration), []).append(row)
    return [medians(each) for each in rounds.values()]


def _row(
    place: Place, models: dict[str, Path], seconds: float, kept: KeptRun, bar: tqdm
) -> Measured:
    peer = PEERS[place.server]
    name = f"{place.service} · {peer.title} {place.configuration}"
    row = kept.find(place)
    if row is None:
        row = measure(
            peer, place.service, models[place.service], is_tuned=place.configuration == "tuned",
            seconds=seconds, deadline_seconds=DEADLINE_SECONDS,
            say=lambda step: bar.set_description(f"{name}: {step}"),
        )  # fmt: skip
        kept.keep(place, row)
    bar.update()
    outcome = row.error or f"ready in {row.ready_seconds:.1f} s, {row.saturation:,.1f} answers/s"
    bar.write(f"{name}: {outcome}", file=sys.stderr)
    return row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    others = [name for name in PEERS if name != OURS]
    parser.add_argument("--peers", type=_names, default=others, metavar="NAME,…",
                        help=f"which of {', '.join(others)}; all by default")  # fmt: skip
    parser.add_argument("--service", action="append", choices=SERVICES,
                        help="one service, or both by default")  # fmt: skip
    parser.add_argument("--seconds", type=_seconds, default=0.0,
                        help=f"length of each load ({SECONDS:g}; quick: {QUICK_SECONDS:g})")  # fmt: skip
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
