"""From settings and recording to an estimate; the doctor's last section is made so, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from infra.cost.bill import bill_of
from infra.cost.lines import Traffic
from infra.cost.meters import free_of_charge, lines_of
from infra.cost.price import Price
from infra.cost.price_book import NoPrices, PriceBook
from infra.cost.report import Estimate
from infra.planning.stacks import StackFile
from infra.recording import Recording
from infra.settings import Settings


def estimate(
    stack: StackFile,
    settings: Settings,
    recording: Recording,
    book: PriceBook,
    *,
    currency: str,
    traffic: Traffic | None = None,
    done: Callable[[str], None] = lambda _filter: None,
) -> Estimate:
    """What the stack costs in a month; new prices are written into the book's file.

    Args:
        stack: which.
        settings: its settings.
        recording: its resources.
        book: has the prices.
        currency: of the prices.
        traffic: what only its users know.
        done: told each question that was answered.

    Raises:
        NoPrices: when the book has none and can get none.
    """
    lines = list(lines_of(settings, recording, traffic or Traffic()))

    def ask(filter_: str) -> tuple[Price, ...]:
        prices = book.prices(filter_)
        done(filter_)
        return prices

    try:
        bill = bill_of(lines, free_of_charge(recording), ask, currency)
    finally:
        # What was had before an error or Ctrl-C need not be asked for again.
        _save(book)
    return Estimate(
        stack=stack.stack,
        file=stack.shown,
        region=settings.location,
        bill=bill,
        prices_of=book.oldest,
        now=datetime.now(UTC),
        troubles=tuple(book.troubles),
    )


def _save(book: PriceBook) -> None:
    try:
        book.save()
    except OSError as error:
        book.troubles.append(f"prices cannot be kept: {error.strerror}")


__all__ = ["NoPrices", "estimate"]
