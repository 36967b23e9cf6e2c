"""A bill's lines before they are priced.

Meters are found by the names that the price list gives them. A name that the list does not have (Azure
renames some) makes a line "not priced", never a wrong sum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.cost.price import Price, UnitKind

EVERYWHERE = "Global"
"""The price list's region for what costs the same everywhere."""


@dataclass(frozen=True)
class Meter:
    """Finds a meter in the price list.

    Attributes:
        service: name of the service, exactly.
        meter: the whole of the meter's name, as a regular expression.
        product: part of the product's name, as one; empty for any.
        vm_size: VM size; None for other services.
    """

    service: str
    meter: str
    product: str = ""
    vm_size: str | None = None

    def is_of(self, price: Price) -> bool:
        """Whether a price's names are the meter's."""
        return bool(
            re.fullmatch(self.meter, price.meterName) and re.search(self.product, price.productName)
        )


@dataclass(frozen=True)
class Used:
    """A meter that a resource runs.

    Attributes:
        resource: its name in the program, or what Azure makes for it.
        meter: which one.
        region: where.
        kind: what is counted.
        fewest: how much in a month, with all at its fewest.
        most: the same at its most.
    """

    resource: str
    meter: Meter
    region: str
    kind: UnitKind
    fewest: float
    most: float


@dataclass(frozen=True)
class Unpriced:
    """What a bill will have and an estimate cannot know.

    Attributes:
        resource: its name in the program.
        why: what it depends on.
    """

    resource: str
    why: str


@dataclass(frozen=True)
class Traffic:
    """What only its users know of a stack.

    Attributes:
        log_gb_a_day: gigabytes of logs in a day; None to reckon up to the daily cap.
        gb_a_month: gigabytes through load balancer and NAT gateway in a month; None for unknown.
    """

    log_gb_a_day: float | None = None
    gb_a_month: float | None = None


Line = Used | Unpriced
