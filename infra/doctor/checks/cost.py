"""What the stack will cost in a month, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.cost.estimating import estimate
from infra.cost.price_book import NoPrices, PriceBook, default_path
from infra.cost.retail_prices import RetailPrices
from infra.doctor.findings import Finding, ok, warning
from infra.planning.stacks import StackFile
from infra.recording import Recording
from infra.settings import Settings

CURRENCY = "USD"


def look_at_cost(
    stack: StackFile,
    settings: Settings,
    recording: Recording,
    prices: RetailPrices | None,
    environment: Mapping[str, str],
) -> Iterator[Finding]:
    """The total at the fewest and the most nodes; None for `prices` asks nobody."""
    book = PriceBook(
        default_path(CURRENCY, environment), CURRENCY, ask=prices.ask if prices else None
    )
    details = f"make cost STACK={stack.stack}"
    try:
        found = estimate(stack, settings, recording, book, currency=CURRENCY)
    except NoPrices as none:
        yield warning("estimate", f"none: {none}", details)
        return
    bill = found.bill
    yield ok(
        "estimate",
        f"{bill.fewest:,.0f} to {bill.most:,.0f} {bill.currency}, without {len(bill.unpriced)} "
        f"lines that depend on use or have no price; {found.age} ({details})",
    )
