"""The requests that wait for a batcher, item by item."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic

from services.serving.model import Item, Output
from services.serving.ticket import Entry, Ticket


class RequestQueue(Generic[Item, Output]):
    """First come, first served, by any thread; a request that nobody waits for leaves at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry[Item, Output]] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        """Items that wait, with one for each request that is not prepared yet."""
        return len(self._entries)

    def append(self, ticket: Ticket[Item, Output]) -> None:
        """Queue a request's items."""
        with self._lock:
            self._entries.extend(ticket.entries())

    def append_unprepared(self, ticket: Ticket[Item, Output]) -> None:
        """Queue a request whose items are made when its turn has come."""
        with self._lock:
            self._entries.append((ticket, 0))

    def prepend(self, ticket: Ticket[Item, Output]) -> None:
        """Queue the items of a request that has waited already, in front of all others."""
        with self._lock:
            self._entries.extendleft(reversed(ticket.entries()))

    def abandon(self, ticket: Ticket[Item, Output]) -> None:
        """Let go of a request's items, which count as dropped where it is late."""
        with self._lock:
            ticket.abandoned = True
            queued = len(self._entries)
            self._entries = deque(entry for entry in self._entries if entry[0] is not ticket)
            if ticket.is_late:
                self._dropped += queued - len(self._entries)

    def pass_over(self, ticket: Ticket[Item, Output]) -> None:
        """Let go of an item, or an unprepared request, that was taken; it counts where it is late."""
        if ticket.is_late:
            with self._lock:
                self._dropped += 1

    def take_dropped(self) -> int:
        """How many items were dropped, since this was asked last, because it was too late for them."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def fill(
        self, batch: list[Entry[Item, Output]], most_items: int
    ) -> Ticket[Item, Output] | None:
        """Move to the batch what is next and belongs to it, up to a request that is not prepared yet.

        That is taken too, and returned.
        """
        with self._lock:
            entries = self._entries
            while entries and len(batch) < most_items:
                ticket = entries[0][0]
                if batch and ticket.predict != batch[0][0].predict:
                    break
                entry = entries.popleft()
                if ticket.prepare is not None:
                    return ticket
                batch.append(entry)
            return None
