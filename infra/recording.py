"""Runs the stack's program without engine, cloud or network, and records what it declares."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import selectors
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, cast

from pulumi.runtime import mocks, settings
from pulumi.runtime import stack as sdk_stack

from infra.planning.monitor import (
    NotPlannable,
    Options,
    Recorded,
    RecordingMonitor,
    Transform,
)
from infra.planning.wire import Secret, Value
from infra.settings import PROJECT, Settings

__all__ = [
    "NotPlannable",
    "Options",
    "Recorded",
    "Recording",
    "Secret",
    "Transform",
    "record",
    "record_component",
]

ORGANIZATION = "organization"
"""Pulumi's name for the only organization of a backend without any."""
MOST_ROUNDS = 2000
"""Of the event loop; the largest stack takes 200."""
MOST_CANCELLATIONS = 3


@dataclass(frozen=True)
class Recording:
    """What a program declared.

    Attributes:
        resources: sorted by URN, so that two recordings of one program are equal.
        outputs: the stack's.
    """

    resources: tuple[Recorded, ...]
    outputs: Mapping[str, Value]

    def of_type(self, type_: str) -> tuple[Recorded, ...]:
        """Those with the type token, or with a token that ends so: ``:AgentPool``."""
        return tuple(r for r in self.resources if r.type.endswith(type_))

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """The only one of a type, or the only one with that name.

        Raises:
            LookupError: when there is none, or more than one.
        """
        found = [r for r in self.of_type(type_) if name is None or r.name == name]
        if len(found) != 1:
            names = ", ".join(r.name for r in self.of_type(type_)) or "none"
            raise LookupError(f"not exactly one {type_} {name or ''}: {names}")
        return found[0]

    def by_urn(self, urn: str) -> Recorded:
        """The one with a URN.

        Raises:
            LookupError: when there is none.
        """
        for resource in self.resources:
            if resource.urn == urn:
                return resource
        raise LookupError(urn)


def record(
    stack_settings: Settings, *, stack: str, transform: Transform | None = None
) -> Recording:
    """What `pulumi up` would declare for a stack with these settings.

    Args:
        stack_settings: the stack's.
        stack: its name.
        transform: changes each resource while the program declares it.

    Raises:
        NotPlannable: when the engine would refuse it.
    """
    with _garbage_left():
        # The program imports every provider's SDK; errors in settings are told without waiting
        # for it.
        from infra.program import declare

        return record_component(lambda: declare(stack_settings), stack=stack, transform=transform)


def record_component(
    build: Callable[[], object], *, stack: str = "test", transform: Transform | None = None
) -> Recording:
    """What a function declares; each call starts afresh, and leaves nothing behind."""
    with _garbage_left():
        return contextvars.copy_context().run(_run, build, stack, transform)


@contextlib.contextmanager
def _garbage_left() -> Generator[None, None, None]:
    """Put the collector off: it would take most of the time, and find a few megabytes.

    The SDKs' modules are a million objects, which it looks through again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Immediately(ThreadPoolExecutor):
    """Runs each call to the monitor where it is made: no threads, and always the same order."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it goes to whoever awaits the future
            future.set_exception(error)
        return future


class _NothingElse(selectors.DefaultSelector):
    """Of a loop for which no thread and no other process works: what sleeps there never wakes."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready.

        Raises:
            NotPlannable: nothing is, and nothing will be.
        """
        if timeout is not None:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            raise NotPlannable("the program waits for a value that nothing will give it")
        return ready


def _run(build: Callable[[], object], stack: str, transform: Transform | None) -> Recording:
    monitor = RecordingMonitor(transform)
    settings.configure(
        settings.Settings(
            project=PROJECT,
            stack=stack,
            monitor=monitor,
            engine=mocks.MockEngine(None),
            dry_run=False,
            organization=ORGANIZATION,
            root_directory="",
        )
    )
    settings.ROOT.set(None)

    interrupts: list[BaseException] = []

    async def program() -> None:
        try:
            build()
            await _settle()
        except Exception:
            raise
        except BaseException as interrupt:
            # Pulumi waits for what the program has begun, which may need what it has not.
            interrupts.append(interrupt)
            raise

    loop = asyncio.SelectorEventLoop(_NothingElse())
    loop.set_default_executor(_Immediately(max_workers=1))
    # The first error is raised; of what failed because of it, asyncio would print hundreds more.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(sdk_stack.run_in_stack(program))
    except NotPlannable:
        if interrupts:
            raise interrupts[0] from None
        raise
    finally:
        _close(loop)
        asyncio.set_event_loop(None)
    return _recording(monitor)


async def _settle() -> None:
    """Let the outputs resolve, in a third of the time that Pulumi takes to wait for them.

    It waits for all that are left again after each one. What is left here, as after an error, is
    left to it.
    """
    seen: set[asyncio.Task[Any]] = set()
    for _ in range(MOST_ROUNDS):
        waiting: set[asyncio.Task[Any]] = cast(Any, settings.SETTINGS).outputs
        if not waiting:
            break
        seen |= waiting
        await asyncio.sleep(0)
    for task in seen:
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise error


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what a program that failed left waiting.

    Pulumi's own tasks take a first cancellation for the program's failure, and wait on.
    """
    for _ in range(MOST_CANCELLATIONS):
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        with contextlib.suppress(NotPlannable):
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()


def _recording(monitor: RecordingMonitor) -> Recording:
    resources = [
        replace(resource, outputs=monitor.outputs.get(resource.urn, {}))
        for resource in monitor.recorded.values()
    ]
    return Recording(
        resources=tuple(sorted(resources, key=lambda resource: resource.urn)),
        outputs=monitor.outputs.get(monitor.stack_urn, {}),
    )
