"""The estimate: each meter's price times what the stack runs of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from infra.cost.lines import EVERYWHERE, Line, Meter, Unpriced, Used
from infra.cost.meters import pay_as_you_go
from infra.cost.price import HOURS_A_MONTH, Price, Rate, rate_of

Ask = Callable[[str], Sequence[Price]]
"""Answers an OData filter of the price list."""


@dataclass(frozen=True)
class Item:
    """A priced line.

    Attributes:
        resource: whose it is.
        rate: price and meter.
        fewest, most: how much of it in a month.
        fewest_cost, most_cost: what that costs.
    """

    resource: str
    rate: Rate
    fewest: float
    most: float
    fewest_cost: float
    most_cost: float


@dataclass(frozen=True)
class NodePrice:
    """What one node costs a month, by how it is paid; None where the list has no such price."""

    vm_size: str
    pay_as_you_go: float | None
    spot: float | None
    one_year: float | None
    three_years: float | None


@dataclass(frozen=True)
class Bill:
    """A month.

    Attributes:
        currency: ISO 4217 code.
        items: what is priced.
        unpriced: what is not, and why.
        free: resources that cost nothing.
        nodes: other ways to pay for nodes.
    """

    currency: str
    items: tuple[Item, ...]
    unpriced: tuple[Unpriced, ...]
    free: tuple[str, ...]
    nodes: tuple[NodePrice, ...]

    @property
    def fewest(self) -> float:
        """All that is priced, with everything at its fewest."""
        return sum(item.fewest_cost for item in self.items)

    @property
    def most(self) -> float:
        """The same at its most."""
        return sum(item.most_cost for item in self.items)


def bill_of(lines: Sequence[Line], free: Sequence[str], ask: Ask, currency: str) -> Bill:
    """The bill of a stack's lines."""
    items: list[Item] = []
    unpriced: list[Unpriced] = []
    for line in lines:
        priced = line if isinstance(line, Unpriced) else _priced(line, ask)
        if isinstance(priced, Item):
            items.append(priced)
        else:
            unpriced.append(priced)
    sizes = {
        (line.meter.vm_size, line.region)
        for line in lines
        if isinstance(line, Used) and line.meter.vm_size
    }
    nodes = tuple(_node_price(size, region, ask) for size, region in sorted(sizes) if size)
    return Bill(currency, tuple(items), tuple(unpriced), tuple(free), nodes)


def filter_of(meter: Meter, region: str) -> str:
    """The OData filter behind a meter; a VM size's has all ways to pay for it."""
    filter_ = f"serviceName eq '{meter.service}' and armRegionName eq '{region}'"
    if meter.vm_size is not None:
        return f"{filter_} and armSkuName eq '{meter.vm_size}'"
    return f"{filter_} and priceType eq 'Consumption'"


def _priced(used: Used, ask: Ask) -> Item | Unpriced:
    found = _prices(used.meter, used.region, ask)
    named = f"{used.meter.service}, {_readable(used.meter.meter)}"
    if used.meter.vm_size:
        named = f"{used.meter.vm_size}"
    if not found:
        return Unpriced(used.resource, f"the price list has no meter for it ({named})")
    if len({price.meterId or price.meterName for price in found}) > 1:
        return Unpriced(used.resource, f"the price list has several meters for it ({named})")
    rate = rate_of(found)
    if rate is None or rate.kind != used.kind:
        return Unpriced(used.resource, f"its unit, {found[0].unitOfMeasure}, is another ({named})")
    return Item(
        used.resource, rate, used.fewest, used.most,
        rate.amount(used.fewest), rate.amount(used.most),
    )  # fmt: skip


def _prices(meter: Meter, region: str, ask: Ask) -> list[Price]:
    """Those of the region, or of everywhere: Azure lists some meters only there."""
    for place in dict.fromkeys((region, EVERYWHERE)):
        if meter.vm_size is not None and place == EVERYWHERE:
            break
        found = [
            price
            for price in ask(filter_of(meter, place))
            if price.type == "Consumption" and meter.is_of(price)
        ]
        if found:
            return found
    return []


def _node_price(vm_size: str, region: str, ask: Ask) -> NodePrice:
    plain = pay_as_you_go(vm_size)
    every_way = replace(plain, meter=".*")
    prices = [price for price in ask(filter_of(plain, region)) if every_way.is_of(price)]

    def hourly(spot: bool) -> float | None:
        rates = [
            rate_of([price])
            for price in prices
            if price.type == "Consumption"
            and "Low Priority" not in price.meterName
            and price.meterName.endswith("Spot") is spot
        ]
        return rates[0].unit_price * HOURS_A_MONTH if rates and rates[0] else None

    def reserved(term: str, months: int) -> float | None:
        # A reservation's price is that of its whole term, whatever its unit says.
        whole = [price.retailPrice for price in prices if price.reservationTerm == term]
        return whole[0] / months if whole else None

    return NodePrice(
        vm_size, hourly(False), hourly(True), reserved("1 Year", 12), reserved("3 Years", 36)
    )


def _readable(pattern: str) -> str:
    return pattern.replace(r"(Standard|Network Protection)", "Standard")
