"""Timers of the generator."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from client.load.precise_loop import new_precise_loop


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' loops are used as they are")
def test_a_timer_is_exact_to_well_below_a_millisecond():
    async def lateness() -> float:
        late: list[float] = []
        for _ in range(200):
            due = time.monotonic() + 0.0003
            await asyncio.sleep(0.0003)
            late.append(time.monotonic() - due)
        return sorted(late)[20]

    with asyncio.Runner(loop_factory=new_precise_loop) as runner:
        assert runner.run(lateness()) < 0.0005
