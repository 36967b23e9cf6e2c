"""The estimate, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from infra.cost.bill import Bill, Item, NodePrice
from infra.standard_output import BOLD, Screen


@dataclass(frozen=True)
class Estimate:
    """A stack's bill, and how old its prices are.

    Attributes:
        stack: its name.
        file: its settings file, as messages name it.
        region: where it is.
        bill: the bill.
        prices_of: when the oldest price was asked for; None without any.
        now: when the estimate was made.
        troubles: why prices are not newer, a line each.
    """

    stack: str
    file: str
    region: str
    bill: Bill
    prices_of: datetime | None
    now: datetime
    troubles: Sequence[str]

    @property
    def age(self) -> str:
        """``prices of 2026-11-28, 3 days old``."""
        if self.prices_of is None:
            return "no prices were needed"
        days = (self.now - self.prices_of).days
        old = "today's" if days == 0 else f"{days} day{'s' if days > 1 else ''} old"
        return f"prices of {self.prices_of:%Y-%m-%d}, {old}"


def lines(estimate: Estimate, screen: Screen) -> Iterator[str]:
    """The estimate as tables."""

    def bold(text: str) -> str:
        return screen.styled(BOLD, text)

    bill = estimate.bill
    yield bold(f"{estimate.stack} ({estimate.file}), {estimate.region}, {bill.currency} a month")
    yield f"Azure's retail prices, without taxes and discounts; {estimate.age}"
    yield from (f"! {trouble}" for trouble in estimate.troubles)
    yield ""
    rows = [("resource", "meter", "price", "for one", "at its fewest", "at its most")]
    rows += [_row(item) for item in bill.items]
    rows.append(("total", "", "", "", f"{bill.fewest:,.2f}", f"{bill.most:,.2f}"))
    table = list(_table(rows, right=(2, 4, 5)))
    yield bold(table[0])
    yield from table[1:-1]
    yield bold(table[-1])
    if bill.nodes:
        yield ""
        yield bold("Ways to pay for a node, a month")
        ways = [("size", "as you go", "spot", "reserved 1 year", "reserved 3 years")]
        ways += [_way(node) for node in bill.nodes]
        yield from _table(ways, right=(1, 2, 3, 4))
    if bill.unpriced:
        yield ""
        yield bold("Not priced, and not in the total")
        named = dict.fromkeys((each.resource, each.why) for each in bill.unpriced)
        yield from _table(list(named), right=())
    if bill.free:
        yield ""
        yield f"Free of charge: {len(bill.free)} further resources, and the nodes' ephemeral disks"


def document(estimate: Estimate) -> dict[str, Any]:
    """The estimate as JSON."""
    bill = estimate.bill
    return {
        "stack": estimate.stack,
        "file": estimate.file,
        "region": estimate.region,
        "currency": bill.currency,
        "prices_of": estimate.prices_of.isoformat() if estimate.prices_of else None,
        "troubles": list(estimate.troubles),
        "month": {"fewest": round(bill.fewest, 2), "most": round(bill.most, 2)},
        "items": [
            {
                "resource": item.resource,
                "meter": item.rate.meter,
                "unit": item.rate.kind,
                "unit_price": item.rate.unit_price,
                "quantity": {"fewest": item.fewest, "most": item.most},
                "cost": {"fewest": round(item.fewest_cost, 2), "most": round(item.most_cost, 2)},
            }
            for item in bill.items
        ],
        "nodes": [asdict(node) for node in bill.nodes],
        "unpriced": [asdict(each) for each in bill.unpriced],
        "free": list(bill.free),
    }


def _row(item: Item) -> tuple[str, ...]:
    fewest, most = f"{item.fewest_cost:,.2f}", f"{item.most_cost:,.2f}"
    count = f"{item.fewest:g}" if item.fewest == item.most else f"{item.fewest:g}–{item.most:g}"
    return (
        item.resource,
        item.rate.meter,
        f"{item.rate.unit_price:g}",
        f"{item.rate.kind} × {count}",
        fewest,
        most,
    )


def _way(node: NodePrice) -> tuple[str, ...]:
    prices = (node.pay_as_you_go, node.spot, node.one_year, node.three_years)
    return (node.vm_size, *("–" if price is None else f"{price:,.2f}" for price in prices))


def _table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}".rstrip()
