"""How a container ends: asked to, killed, or out of memory."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from infra.workload import WorkloadName
from tests.images.asking import REQUESTS, classify, is_right, large_picture
from tests.images.containers import Container, Containers, stack

DRAIN_SECONDS = 3
STOP_SECONDS = 30
AT_ONCE = 12
MANY = 16


def wait_for_restart(container: Container, restarts: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if container.restarts() >= restarts:
            return container.wait_until_ready()
        time.sleep(0.2)
    return pytest.fail(f"it was not started again: {container.state()} {container.log()[-2000:]}")


def test_what_is_under_way_is_finished(containers: Containers) -> None:
    """SIGTERM in the middle of a queue of pictures: each is answered, and the status is 0."""
    settings = {"cpu_millicores": 500, "stop_seconds": STOP_SECONDS, "deadline_ms": 60_000}
    picture = large_picture(6)
    with containers.running("resnet", stack(resnet=settings)) as resnet:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = [pool.submit(classify, resnet, picture) for _ in range(AT_ONCE)]
            wait_until_queued(resnet, AT_ONCE // 2)
            resnet.stop(STOP_SECONDS)
        assert [each.result().status_code for each in asked] == [200] * AT_ONCE
        assert (resnet.state()["ExitCode"], resnet.state()["OOMKilled"]) == (0, False)


def wait_until_queued(container: Container, items: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for line in container.metrics().splitlines():
            if line.startswith("modelsvc_queue_depth ") and float(line.split()[1]) >= items:
                return
        time.sleep(0.02)
    pytest.fail("the requests were not admitted")


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_it_drains_before_it_stops(containers: Containers, workload: WorkloadName) -> None:
    """While load balancers learn that it is not ready, it goes on answering."""
    settings = stack(**{workload: {"drain_seconds": DRAIN_SECONDS}})
    with containers.running(workload, settings) as container:
        assert container.get("/readyz").status_code == 200
        begun = time.monotonic()
        stopping = threading.Thread(target=container.stop, args=(STOP_SECONDS,))
        stopping.start()
        answered = 0
        while container.get("/readyz").status_code == 200:
            assert time.monotonic() - begun < DRAIN_SECONDS
            time.sleep(0.05)
        until = begun + DRAIN_SECONDS - 1
        while time.monotonic() < until:
            assert is_right(workload, REQUESTS[workload](container))
            answered += 1
        assert answered > 0
        stopping.join()
        assert time.monotonic() - begun >= DRAIN_SECONDS
        assert container.state()["ExitCode"] == 0
        assert container.restarts() == 0


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_after_kill_it_comes_back(containers: Containers, workload: WorkloadName) -> None:
    """The process is killed: the container is started again."""
    with containers.running(workload, stack()) as container:
        os.kill(container.processes()[0].pid, signal.SIGKILL)
        wait_for_restart(container, 1)
        assert is_right(workload, REQUESTS[workload](container))


def test_out_of_memory_it_comes_back(containers: Containers) -> None:
    """With far less memory than the stack gives, a few large pictures are too much.

    The kernel kills the worker; whoever waits is cut off, nobody gets a wrong answer, and the
    container is started again.
    """
    limits = ("--memory", "220m", "--memory-swap", "220m")
    picture = large_picture(24)
    with containers.running("resnet", stack(), options=limits) as resnet:
        began = str(int(time.time()))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = [pool.submit(classify, resnet, picture) for _ in range(AT_ONCE)]
        outcomes = {outcome(each) for each in asked}
        assert outcomes <= {"cut off", "200", "503"}
        assert "cut off" in outcomes
        wait_for_restart(resnet, 1)
        assert is_right("resnet", REQUESTS["resnet"](resnet))
        assert "oom" in happened(resnet, began)


def outcome(asked: Future[httpx.Response]) -> str:
    try:
        return str(asked.result().status_code)
    except httpx.TransportError:
        return "cut off"


def happened(container: Container, since: str) -> list[str]:
    """What the engine saw of it."""
    span = ("--since", since, "--until", str(int(time.time()) + 1))
    return container.docker.run(
        "events", *span, "--filter", f"container={container.id}", "--format", "{{.Action}}"
    ).split()


def test_the_largest_pictures_at_once_fit_the_declared_memory(containers: Containers) -> None:
    """In the least memory that a stack may give, many of the largest that are let in."""
    picture = large_picture(24)
    least = {"memory_mib": 1024, "deadline_ms": 120_000}
    with containers.running("resnet", stack(resnet=least)) as resnet:
        with ThreadPoolExecutor(MANY) as pool:
            asked = [pool.submit(classify, resnet, picture) for _ in range(MANY)]
        assert {outcome(each) for each in asked} == {"200"}
        assert resnet.restarts() == 0
        assert is_right("resnet", REQUESTS["resnet"](resnet))
