"""How long a model takes for an item, and hence how long one has to wait for it."""

from __future__ import annotations

from typing import Final

SMOOTHING: Final = 0.2
"""Weight of the newest batch in the moving average of the seconds per item."""
CAUTION: Final = 1.1
"""How much longer than the average says a wait is taken to be: who is admitted and then too late has
cost the model its time for nothing, while for who is refused another comes."""


class Pace:
    """The moving average of the seconds that pass for an item; 0 before the first batch."""

    def __init__(self) -> None:
        self.seconds_per_item = 0.0

    def learn(self, seconds_per_item: float) -> None:
        """Take the newest batch into account."""
        known = self.seconds_per_item
        self.seconds_per_item = (
            known + SMOOTHING * (seconds_per_item - known) if known else seconds_per_item
        )

    def wait_seconds(self, items: int) -> float:
        """Predict how long who comes behind so many items, its own included, has to wait."""
        return CAUTION * self.seconds_per_item * items

    def items_within(self, seconds: float) -> int:
        """How many items fit into a time, at least one; no more than that before the first batch."""
        return max(1, int(seconds / self.seconds_per_item)) if self.seconds_per_item else 1
