"""One price of Azure's list, checked as it comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

HOURS_A_MONTH = 730
"""A twelfth of a year, as Azure's own calculator has it."""
DAYS_A_MONTH = HOURS_A_MONTH / 24

UnitKind = Literal["hour", "day", "month", "gigabyte"]
_UNIT = re.compile(
    r"(?P<number>\d+)\s*/?\s*(?P<kind>hours?|days?|months?|gb)(/month)?", re.IGNORECASE
)
_KINDS: Mapping[str, UnitKind] = {
    "hour": "hour",
    "day": "day",
    "month": "month",
    "gb": "gigabyte",
}


class Price(BaseModel):
    """An item of the price list; further properties are left.

    Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    currencyCode: str  # noqa: N815 - the names are the list's
    retailPrice: float = Field(ge=0)  # noqa: N815
    tierMinimumUnits: float = Field(default=0, ge=0)  # noqa: N815
    unitOfMeasure: str  # noqa: N815
    armRegionName: str = ""  # noqa: N815
    armSkuName: str = ""  # noqa: N815
    serviceName: str = ""  # noqa: N815
    productName: str = ""  # noqa: N815
    skuName: str = ""  # noqa: N815
    meterName: str = ""  # noqa: N815
    meterId: str = ""  # noqa: N815
    type: str = ""
    reservationTerm: str = ""  # noqa: N815
    effectiveStartDate: str = ""  # noqa: N815

    @property
    def unit(self) -> tuple[float, UnitKind] | None:
        """How many of what the price is for: ``1 Hour``, ``1/Day``, ``1 GB/Month``; None for others."""
        found = _UNIT.fullmatch(self.unitOfMeasure.strip())
        if found is None or float(found["number"]) == 0:
            return None
        return float(found["number"]), _KINDS[found["kind"].lower().rstrip("s")]


@dataclass(frozen=True)
class Rate:
    """A meter's price, by how much is used: Azure's free grants are its first tier.

    Attributes:
        meter: product and meter, as the bill names them.
        kind: what is counted.
        tiers: least quantity of each tier and its price for one, least first.
        currency: ISO 4217 code.
    """

    meter: str
    kind: UnitKind
    tiers: tuple[tuple[float, float], ...]
    currency: str

    @property
    def unit_price(self) -> float:
        """Of one, in the last tier."""
        return self.tiers[-1][1]

    def amount(self, quantity: float) -> float:
        """What a quantity costs, each tier's part at its own price."""
        total = 0.0
        ends = [start for start, _ in self.tiers[1:]] + [float("inf")]
        for (start, price), end in zip(self.tiers, ends, strict=True):
            total += max(min(quantity, end) - start, 0) * price
        return total


def rate_of(prices: Sequence[Price]) -> Rate | None:
    """The rate that prices of one meter make; None where its unit is not understood."""
    newest = max((price.effectiveStartDate for price in prices), default="")
    current = sorted(
        (price for price in prices if price.effectiveStartDate == newest),
        key=lambda price: price.tierMinimumUnits,
    )
    unit = current[0].unit if current else None
    if unit is None:
        return None
    number, kind = unit
    tiers = tuple((each.tierMinimumUnits, each.retailPrice / number) for each in current)
    first = current[0]
    return Rate(f"{first.productName}, {first.meterName}", kind, tiers, first.currencyCode)


def prices_of(items: Sequence[Mapping[str, Any]]) -> tuple[Price, ...]:
    """Items of a list.

    Raises:
        ValidationError: when one is not of the list's form.
    """
    return tuple(Price.model_validate(item) for item in items)
