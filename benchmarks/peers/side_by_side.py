"""One round: all servers are started and take turns, load by load; those whose turn it is not stand still.

The machine is shared, and its speed drifts by half within minutes. So no server has its load minutes
after another: what is compared was measured within seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

from benchmarks.models import KEPT
from benchmarks.peers.measurement import CALLERS, HIGH_RATE, OVERLOAD, RATES, Cell, Load, Measured
from benchmarks.peers.pairs import Pair
from benchmarks.peers.roster import OURS, Peer
from benchmarks.peers.rounds import median
from benchmarks.peers.running_server import RunningServer, ServerFailed, running_server
from benchmarks.peers.served_model import Setup
from client.load import LoadRefused
from services.launch import free_ports

TURNS = 8
"""How often each number of callers has its turn in a round."""
NEAREST, PAIRED_TURNS = 2, 24
"""How many of the others then have so many more turns, ours right after each: the best are within a few
percent, a single turn of theirs drifts by more, and two in a row drift alike."""
COMPARED = (HIGH_RATE, OVERLOAD)
"""The shares that are looked at most. The faster a server, the more does a share of its own best ask of it:
so ours also meets what each other server met there."""
COMPARED_TURNS = 2
"""How often arrivals come at those: in a few seconds few requests make a 99th percentile."""
RECOVERY_SECONDS = 10.0

Say = Callable[[str], None]


def steps(servers: Sequence[str]) -> int:
    """How often a round of these servers, ours among them, says what one of them does."""
    each = 2 + TURNS * len(CALLERS) + sum(map(turns_of, RATES))
    others = sum(name != OURS for name in servers)
    pairs = 2 * PAIRED_TURNS * min(NEAREST, others) * len(CALLERS)
    return each * len(servers) + pairs + COMPARED_TURNS * len(COMPARED) * others


def turns_of(share: float) -> int:
    """How often arrivals at a share of its own best come to a server in a round."""
    return COMPARED_TURNS if share in COMPARED else 1


class Contender:
    """A server in a round. Whatever fails is its result, and its last turn.

    Attributes:
        found: what is known so far.
    """

    def __init__(self, peer: Peer, service: str, configuration: str, say: Say) -> None:
        self.found = Measured(service, peer.name, configuration)
        self._peer = peer
        self._say = say
        self._workload = peer.workload(service)
        self._server: RunningServer | None = None
        self._load: Load
        self._turns: dict[str, list[Cell]] = {}

    def start(
        self, stack: ExitStack, model: Path, *, seconds: float, deadline_seconds: float
    ) -> None:
        """Start the server, which ends with ``stack``; warm it up, and hold it."""
        service, name, configuration = (
            self.found.service,
            self.found.server,
            self.found.configuration,
        )
        setup = Setup(service, model, free_ports(1)[0], configuration == "tuned", deadline_seconds)
        KEPT.mkdir(exist_ok=True)
        log = KEPT / f"peer-{service}-{name}-{configuration}.log"

        def start() -> None:
            server = stack.enter_context(running_server(self._peer, setup, self._workload, log))
            self._know(version=self._peer.version(), ready_seconds=server.ready_seconds)
            self._load = Load(server, self._workload, seconds, deadline_seconds)
            self._load.warm_up()
            server.hold()
            self._server = server

        self._try("starting", start)

    def closed(self, callers: int) -> None:
        """A turn with so many callers; it is weighed after the most."""

        def step(server: RunningServer) -> None:
            self._add(self._load.closed(callers))
            if callers == CALLERS[-1]:
                self._know(memory_megabytes=server.memory_megabytes())
                if not self.found.saturation:
                    raise ServerFailed("answered nothing under load")

        self._take_turn(f"c={callers}", step)

    def pair(self, other: Contender, callers: int) -> None:
        """A turn of another one's, and its own right after it."""
        theirs = other.extra_turn(callers)
        mine = self.extra_turn(callers)
        if theirs and mine:
            found = other.found
            pair = Pair(mine.name, found.server, found.configuration, mine.answers, theirs.answers)
            self._know(pairs=(*self.found.pairs, pair))

    def extra_turn(self, callers: int) -> Cell | None:
        """A turn with so many callers that does not count among its own; None where it has failed."""
        cells: list[Cell] = []
        self._take_turn(f"c={callers} paired", lambda _: cells.append(self._load.closed(callers)))
        return cells[0] if cells else None

    def open(self, share: float) -> None:
        """Its turn with arrivals that wait for nobody; it has no further one if it is not back then."""

        def step(server: RunningServer) -> None:
            self._add_open(server, self._load.open(share, self.found.saturation))

        self._take_turn(f"{share:.0%}", step)

    def beside(self, other: Measured, share: float) -> None:
        """Its turn with the very arrivals that another server just had."""
        name = other.load_at(share)

        def step(server: RunningServer) -> None:
            if other.saturation:
                cell = self._load.open(share, other.saturation)
                self._add_open(server, replace(cell, name=name))

        self._take_turn(name, step)

    def end(self) -> None:
        """Its last turn: SIGTERM under load."""
        self._take_turn(
            "SIGTERM", lambda _: self._know(ending=self._load.end(self.found.saturation))
        )

    def _take_turn(self, what: str, step: Callable[[RunningServer], None]) -> None:
        def turn() -> None:
            if self._server is not None:
                with self._server.its_turn() as server:
                    step(server)

        self._try(what, turn)

    def _try(self, what: str, step: Callable[[], None]) -> None:
        self._say(f"{self._peer.title} {self.found.configuration}: {what}")
        try:
            step()
        except (ServerFailed, LoadRefused, OSError) as error:
            self._server = None
            self._know(error=str(error) or type(error).__name__)

    def _add_open(self, server: RunningServer, cell: Cell) -> None:
        self._add(cell)
        if not server.recovers(self._workload, RECOVERY_SECONDS):
            self._know(note=f"not back {RECOVERY_SECONDS:.0f} s after {cell.name}")
            self._server = None

    def _add(self, cell: Cell) -> None:
        self._turns.setdefault(cell.name, []).append(cell)
        self._know(cells=tuple(map(median, self._turns.values())))

    def _know(self, **fields: object) -> None:
        self.found = replace(self.found, **fields)  # type: ignore[arg-type]


def nearest(contenders: Sequence[Contender], callers: int) -> list[Contender]:
    """The :data:`NEAREST` of the others that answered most with so many callers."""
    known = [
        (cell.answers, each)
        for each in contenders
        if each.found.server != OURS
        and not each.found.error
        and (cell := each.found.cell(f"c={callers}")) is not None
    ]
    return [each for _, each in sorted(known, key=itemgetter(0), reverse=True)[:NEAREST]]


def one_round(
    contenders: Sequence[Contender], model: Path, *, seconds: float, deadline_seconds: float
) -> list[Measured]:
    """What was found of each server; one that failed is a result too.

    Ours, tuned, is paired with those that came nearest with as many callers, and also meets what each of the
    others met at the shares that are :data:`COMPARED`, right after it.
    """
    ours = [
        each
        for each in contenders
        if (each.found.server, each.found.configuration) == (OURS, "tuned")
    ]
    with ExitStack() as stack:
        for each in contenders:
            each.start(stack, model, seconds=seconds, deadline_seconds=deadline_seconds)
        for callers in CALLERS:
            for each in list(contenders) * TURNS:
                each.closed(callers)
            for one in ours:
                for each in nearest(contenders, callers) * PAIRED_TURNS:
                    one.pair(each, callers)
        for share in RATES:
            for each in list(contenders) * turns_of(share):
                each.open(share)
                for one in ours if share in COMPARED and each.found.server != OURS else ():
                    one.beside(each.found, share)
        for each in contenders:
            each.end()
    return [each.found for each in contenders]
