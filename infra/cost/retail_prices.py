"""Azure's Retail Prices API: public, without sign-in.

Source: learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError

from infra.cost.price import prices_of

ADDRESS = "https://prices.azure.com/api/retail/prices"
MOST_PAGES = 50
"""A page has up to a thousand prices; no question here has more than a few."""
TRIES = 4
SECONDS = 20
LONGEST_WAIT = 30.0
BUSY = (429, 500, 502, 503, 504)


class PricesUnreachable(Exception):
    """The list cannot be had; the message says why, in one line."""


@dataclass(frozen=True)
class RetailPrices:
    """Asks the price list.

    Attributes:
        address: of the API.
        sleep: waits between tries, so many seconds.
    """

    address: str = ADDRESS
    sleep: Callable[[float], None] = time.sleep

    def ask(self, filter_: str, currency: str) -> list[dict[str, Any]]:
        """All prices that an OData filter finds, from all pages.

        Raises:
            PricesUnreachable: when the API does not answer, or not in its own form.
        """
        found: list[dict[str, Any]] = []
        page: str | None = self.address
        params: dict[str, str] | None = {"currencyCode": f"'{currency}'", "$filter": filter_}
        for _ in range(MOST_PAGES):
            answer = self._page(page, params)
            items: Any = answer.get("Items")
            if not isinstance(items, list):
                raise PricesUnreachable("the answer is no price list")
            try:
                prices_of(cast("list[dict[str, Any]]", items))
            except ValidationError:
                raise PricesUnreachable("a price of the list is not understood") from None
            found += items
            # The next page's address holds the filter already.
            page, params = answer.get("NextPageLink"), None
            if not page:
                return found
            if urlsplit(page).hostname != urlsplit(self.address).hostname:
                raise PricesUnreachable("the list goes on at another host")
        raise PricesUnreachable(f"the list has more than {MOST_PAGES} pages")

    def _page(self, address: str, params: dict[str, str] | None) -> dict[str, Any]:
        for tries_left in reversed(range(TRIES)):
            try:
                answer = requests.get(address, params=params, timeout=SECONDS)
            except requests.RequestException as error:
                raise PricesUnreachable(
                    f"{urlsplit(self.address).hostname} cannot be reached ({type(error).__name__})"
                ) from None
            if answer.status_code in BUSY and tries_left:
                self.sleep(_wait(answer, TRIES - tries_left))
                continue
            if answer.status_code == 400:
                raise PricesUnreachable(
                    "the API refuses the question: is the currency one of Azure's?"
                )
            if answer.status_code != 200:
                raise PricesUnreachable(f"the API answered {answer.status_code}")
            try:
                return answer.json()
            except requests.JSONDecodeError:
                raise PricesUnreachable("the answer is no JSON") from None
        raise AssertionError("the last try returns or raises")


def _wait(answer: requests.Response, tries: int) -> float:
    """Seconds to wait: as the API asks, else longer each time."""
    asked = answer.headers.get("Retry-After", "")
    wait = float(asked) if asked.isdigit() else 2.0**tries
    return min(wait, LONGEST_WAIT)
