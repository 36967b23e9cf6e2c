"""How fast the machine is just now: others use it too, and its speed drifts by half within minutes.

The yardstick is what all servers serve, the model's three parts called in a loop, on the servers' core
while the server there is stopped. Run as a program this is that loop: for each line of its input it
prints calls per second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.peers.roster import OURS, PEERS, ROOT
from benchmarks.peers.running_server import SERVER_CORE, environment
from benchmarks.peers.served_model import Setup

PROBE_SECONDS = 0.3


@dataclass(frozen=True)
class Yardstick:
    """A process that is ready to measure."""

    process: subprocess.Popen[str]

    def calls_per_second(self) -> float:
        """Calls per second of the model just now; takes a third of a second."""
        streams = self.process.stdin, self.process.stdout
        if streams[0] is None or streams[1] is None:
            raise OSError("the yardstick has no pipes")
        streams[0].write("\n")
        streams[0].flush()
        return float(streams[1].readline() or 0)


@contextmanager
def yardstick(setup: Setup) -> Generator[Yardstick]:
    """The model of a setup, loaded and called once, in a process on the servers' core."""
    with subprocess.Popen(
        ["taskset", "--cpu-list", SERVER_CORE, sys.executable, "-m", "benchmarks.peers.yardstick"],
        cwd=ROOT, env=environment(setup), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            found = Yardstick(process)
            found.calls_per_second()
            yield found
        finally:
            process.kill()


def _run() -> None:
    setup = Setup.from_environment()
    served = replace(setup, is_tuned=False).open()
    bodies = PEERS[OURS].workload(setup.service).bodies
    received = [
        json.loads(body)[setup.field] if setup.service == "faq" else body for body in bodies
    ]
    for _ in sys.stdin:
        calls, began = 0, time.perf_counter()
        while (seconds := time.perf_counter() - began) < PROBE_SECONDS or not calls:
            item = served.prepare(received[calls % len(received)])
            json.dumps(served.render(served.predict([item])[0]))
            calls += 1
        print(calls / seconds, flush=True)


if __name__ == "__main__":
    _run()
