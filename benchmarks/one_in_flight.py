"""What HTTP and the protocol add to one question, with one request in flight.

Run as a process of its own, so that it can be pinned beside the service it asks:
``python -m benchmarks.one_in_flight MODEL URL`` prints milliseconds as JSON.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from client.address import Address, read_address
from client.load.generated_questions import generated_questions
from client.load.target import request_bytes
from client.load.workload import Workload

ROOT = Path(__file__).parent.parent
LENGTH = 400
BARE = "bare call"
SCORE = "/score"
INFER = "/v2/models/faq/infer"
WARM_UP = 50
HEAD_END = b"\r\n\r\n"


def milliseconds(model: Path, url: str, *, cpus: Sequence[int]) -> Mapping[str, float]:
    """Medians of the bare call and of each route, asked from a process pinned to ``cpus``."""
    done = subprocess.run(
        [
            "taskset", "--cpu-list", ",".join(map(str, cpus)),
            sys.executable, "-m", "benchmarks.one_in_flight", str(model), url,
        ],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def questions() -> Sequence[str]:
    """Generated questions of exactly 400 characters."""
    return [question.ljust(LENGTH, ".")[:LENGTH] for question in generated_questions()]


def bare_call(model: Path) -> Callable[[int], object]:
    """The model's own work for one question, from its text to the ranking of all originals."""
    from services.faq.app import load
    from services.faq.settings import FaqSettings

    served = load(FaqSettings(model=model))
    served.warm_up()
    asked = questions()
    return lambda number: served.predict([asked[number]])


class Route:
    """One path of a service, asked over one connection."""

    def __init__(self, address: Address, path: str, bodies: Sequence[bytes]) -> None:
        workload = Workload(path, path, "application/json", bodies)
        self._requests = request_bytes(address, workload)
        self._connection = socket.create_connection((address.host, address.port), timeout=30)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, number: int) -> None:
        """Ask a question and read the whole answer.

        Raises:
            RuntimeError: the answer is not 200.
        """
        self._connection.sendall(self._requests[number])
        received = b""
        while HEAD_END not in received:
            received += self._receive()
        head, _, body = received.partition(HEAD_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the service answered {head.splitlines()[0].decode()}")
        missing = _content_length(head) - len(body)
        while missing > 0:
            missing -= len(self._receive())

    def _receive(self) -> bytes:
        piece = self._connection.recv(1 << 18)
        if not piece:
            raise RuntimeError("the service closed the connection")
        return piece


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError("the answer does not say how long it is")


def routes(url: str) -> Mapping[str, Route]:
    """The predecessor's path, and the Open Inference Protocol's with its tensor as JSON."""
    address = read_address(url)
    asked = questions()
    tensors = [
        {"inputs": [{"name": "question", "shape": [1], "datatype": "BYTES", "data": [question]}]}
        for question in asked
    ]
    return {
        SCORE: Route(address, SCORE, [json.dumps({"input": each}).encode() for each in asked]),
        INFER: Route(address, INFER, [json.dumps(each).encode() for each in tensors]),
    }


def measure(calls: Mapping[str, Callable[[int], object]]) -> Mapping[str, float]:
    """The median milliseconds of each call; every question is put to all of them in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(-WARM_UP, len(questions())):
        for name, call in calls.items():
            began = time.perf_counter()
            call(number)
            if number >= 0:
                seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * statistics.median(each) for name, each in seconds.items()}


def main(model: str, url: str) -> None:
    """Measure the service at ``url`` beside the model that it serves."""
    from services.serving.cpu import available_cpus, limit_native_threads

    limit_native_threads(available_cpus())
    print(json.dumps(measure({BARE: bare_call(Path(model)), **routes(url)})))


if __name__ == "__main__":
    main(*sys.argv[1:])
