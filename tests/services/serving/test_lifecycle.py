"""Starting, ready, draining."""

from __future__ import annotations

import multiprocessing
import threading
import time

from services.serving.lifecycle import DRAIN, LOOK, Lifecycle
from services.serving.server import Link


def test_a_service_is_ready_from_its_start_until_it_drains() -> None:
    seen: list[bool] = []
    lifecycle = Lifecycle(seen.append)

    assert not lifecycle.ready
    lifecycle.start()
    assert lifecycle.ready
    lifecycle.drain()
    assert not lifecycle.ready
    assert lifecycle.draining
    assert seen == [True, False]


def test_a_drain_before_the_start_is_not_forgotten() -> None:
    lifecycle = Lifecycle()
    lifecycle.drain()
    lifecycle.start()

    assert not lifecycle.ready


def test_the_parent_process_announces_the_drain() -> None:
    link, lifecycle = Link(), Lifecycle()
    lifecycle.start()
    lifecycle.obey(link)
    time.sleep(0.05)
    assert lifecycle.ready
    link.order(DRAIN)
    until = time.monotonic() + 5
    while lifecycle.ready and time.monotonic() < until:
        time.sleep(0.005)

    assert lifecycle.draining


def test_the_parent_process_asks_for_a_look_at_the_model_any_number_of_times() -> None:
    link, lifecycle = Link(), Lifecycle()
    lifecycle.start()
    lifecycle.obey(link)
    for _ in range(3):
        lifecycle.look_asked.clear()
        link.order(LOOK)
        assert lifecycle.look_asked.wait(5)

    assert lifecycle.ready


def test_a_worker_tells_its_parent_why_it_cannot_start() -> None:
    link = Link()
    worker = multiprocessing.get_context("fork").Process(target=link.fail, args=("no model",))
    worker.start()
    worker.join()

    assert link.failure() == "no model"


def test_a_worker_that_said_nothing_died() -> None:
    assert Link().failure() == "the worker process died"


def test_telling_a_worker_that_never_listens_does_not_block() -> None:
    link = Link()
    telling = threading.Thread(target=lambda: [link.order(DRAIN) for _ in range(10)], daemon=True)
    telling.start()
    telling.join(10)

    assert not telling.is_alive()
