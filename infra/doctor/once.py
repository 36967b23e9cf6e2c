"""Answers that several checks want are asked for once, by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Once:
    """Keeps what was made, and what it failed with, by key. For many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[Hashable, Future[Any]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned or raised, the first time that the key was asked for."""
        with self._lock:
            future = self._futures.get(key)
            first = future is None
            if future is None:
                future = self._futures[key] = Future()
        if first:
            try:
                future.set_result(make())
            except Exception as error:  # noqa: BLE001 - it goes to everybody who asks
                future.set_exception(error)
        return cast(T, future.result())
