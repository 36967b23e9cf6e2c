"""Ray Serve (an HTTP proxy and a replica as actors): takes the body as bytes.

Tuned: its settings for throughput, batches that wait for nobody, as many requests waiting as our services
allow, our deadline, neither dashboard nor access log.

Its processes give one another 15 seconds to start, which one core is not always enough for. So it starts
on all cores, and is held to the one like the others before it loads the model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.peers.process_tree import processes_of
from benchmarks.peers.served_model import Setup

SETUP = Setup.from_environment()
if SETUP.is_tuned:
    # Read when ray is imported; the actors inherit it.
    os.environ["RAY_SERVE_THROUGHPUT_OPTIMIZED"] = "1"
os.environ |= {
    # Nothing is reported, and no token is written into the user's folder.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    # Its processes start on one core, one after the other.
    "RAY_raylet_start_wait_time_s": "100",
    "RAY_agent_register_timeout_ms": "100000",
}

import ray  # noqa: E402
from ray import serve  # noqa: E402
from starlette.requests import Request  # noqa: E402

OPTIONS: dict[str, Any] = (
    {
        "max_ongoing_requests": SETUP.queue,
        "max_queued_requests": SETUP.queue,
        "logging_config": {"enable_access_log": False},
    }
    if SETUP.is_tuned
    else {}
)


@serve.deployment(**OPTIONS)
class Model:
    """The model as a deployment."""

    def __init__(self) -> None:
        self._served = SETUP.open()

    async def __call__(self, request: Request) -> dict[str, object]:
        """Answer one request."""
        body = await request.body()
        received = body if SETUP.service == "resnet" else json.loads(body)[SETUP.field]
        item = self._served.prepare(received)
        if SETUP.batch > 1:
            output = await self._predict(item)
        else:
            output = self._served.predict([item])[0]
        return self._served.render(output)

    @serve.batch(max_batch_size=SETUP.batch, batch_wait_timeout_s=0)
    async def _predict(self, items: Sequence[Any]) -> Sequence[Any]:
        return list(self._served.predict(items))


def _use_cores(cores: set[int]) -> None:
    """Hold this process, and all that it started, to ``cores``."""
    for process in processes_of(os.getpid()):
        with suppress(OSError):
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)


if __name__ == "__main__":
    core = os.sched_getaffinity(0)
    _use_cores(set(range(os.cpu_count() or 1)))
    ray.init("local", num_cpus=1, include_dashboard=not SETUP.is_tuned)
    http: dict[str, Any] = {"host": "127.0.0.1", "port": SETUP.port}
    if SETUP.is_tuned:
        http["request_timeout_s"] = SETUP.deadline_seconds
    serve.start(http_options=http)
    # What starts from here on inherits it, the model's process among it.
    _use_cores(core)
    serve.run(Model.bind(), blocking=True)
