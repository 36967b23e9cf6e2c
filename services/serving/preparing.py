"""How far ahead of the model requests are prepared in threads.

A picture that waits decoded takes twenty times the memory of one that waits as it came, and one that is
decoded although its client has gone, or its time is over, has cost the model the processor for nothing.
So no more are decoded than the model takes next.
"""

from __future__ import annotations

from collections.abc import Callable


class Preparing:
    """The requests that are being prepared, or are prepared and not scored yet. Used on the event loop.

    Args:
        most: of them at once; the others wait in their order.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Place, None] = {}
        self._taken: set[Place] = set()

    def take(self, start: Callable[[], None]) -> Place:
        """A place for a request, whose preparation ``start`` begins once its turn has come."""
        place = Place(self, start)
        self._waiting[place] = None
        self._go_on()
        return place

    def give_back(self, place: Place) -> None:
        """Let the next one begin; one that still waits is forgotten."""
        self._waiting.pop(place, None)
        self._taken.discard(place)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and len(self._taken) < self._most:
            place = next(iter(self._waiting))
            del self._waiting[place]
            self._taken.add(place)
            place.start()


class Place:
    """One request's place in :class:`Preparing`."""

    def __init__(self, preparing: Preparing, start: Callable[[], None]) -> None:
        self._preparing = preparing
        self.start = start

    def end(self) -> None:
        """It is scored, or will not be."""
        self._preparing.give_back(self)
