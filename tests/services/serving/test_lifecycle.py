"""Starting, ready, draining."""

from __future__ import annotations

from services.serving.lifecycle import Lifecycle


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
