"""Azure's price list: pages, throttling, and answers that are none."""

from __future__ import annotations

import pytest

from infra.cost.price import Price, rate_of
from infra.cost.retail_prices import PricesUnreachable, RetailPrices
from tests.infra.cost.price_list import PriceList, item

MACHINES = "serviceName eq 'Virtual Machines' and armSkuName eq 'Standard_D2ds_v5'"


def ask(prices: PriceList, currency: str = "USD", waits: list[float] | None = None) -> list[object]:
    found = RetailPrices(prices.url, sleep=(waits if waits is not None else []).append)
    return list(found.ask(MACHINES, currency))


def test_all_pages_are_read(prices: PriceList) -> None:
    assert len(ask(prices, "EUR")) == 8
    assert len(prices.asked) == 3
    assert prices.asked[0] == {"currencyCode": "'EUR'", "$filter": MACHINES}


def test_throttling_is_waited_out_as_long_as_it_says(prices: PriceList) -> None:
    prices.faults = [(429, {"Retry-After": "7"}), (503, {}), (429, {"Retry-After": "9999"})]
    waits: list[float] = []
    assert len(ask(prices, waits=waits)) == 8
    assert waits == [7.0, 4.0, 30.0]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "the API answered 500"),
        (400, "is the currency one of Azure's?"),
        (404, "answered 404"),
    ],
)
def test_an_error_is_one_line(prices: PriceList, status: int, words: str) -> None:
    prices.faults = [(status, {})] * 4
    with pytest.raises(PricesUnreachable, match=words):
        ask(prices)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b'{"Items": 1}', b'{"Items": [{"retailPrice": "much"}]}', b'{"Items": [{}]}'],
)
def test_an_answer_that_is_no_price_list_is_refused(prices: PriceList, body: bytes) -> None:
    prices.body = body
    with pytest.raises(PricesUnreachable):
        ask(prices)


def test_a_list_that_goes_on_elsewhere_is_refused(prices: PriceList) -> None:
    prices.next_host = "localhost"
    with pytest.raises(PricesUnreachable, match="another host"):
        ask(prices)


def test_a_list_out_of_reach_is_told() -> None:
    with pytest.raises(PricesUnreachable, match=r"127\.0\.0\.1 cannot be reached"):
        RetailPrices("http://127.0.0.1:1/").ask(MACHINES, "USD")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("1 Hour", (1, "hour")),
        ("1/Hour", (1, "hour")),
        ("100 Hours", (100, "hour")),
        ("1/Day", (1, "day")),
        ("1/Month", (1, "month")),
        ("1 GB", (1, "gigabyte")),
        ("1 GB/Month", (1, "gigabyte")),
        ("10K", None),
        ("0 Hour", None),
        ("1 GB Second", None),
    ],
)
def test_units_are_read_as_the_list_writes_them(
    unit: str, expected: tuple[float, str] | None
) -> None:
    assert Price.model_validate(item("s", "p", "m", 1, unitOfMeasure=unit)).unit == expected


def test_each_tier_has_its_own_price_and_the_newest_counts() -> None:
    def tier(start: float, price: float, since: str) -> Price:
        return Price.model_validate(
            item(
                "Log Analytics", "Log Analytics", "Ingestion", price,
                tierMinimumUnits=start, unitOfMeasure="1 GB", effectiveStartDate=since,
            )
        )  # fmt: skip

    old = [tier(0, 9, "2020-01-01T00:00:00Z")]
    rate = rate_of([*old, tier(5, 3, "2024-01-01T00:00:00Z"), tier(0, 0, "2024-01-01T00:00:00Z")])
    assert rate is not None
    assert [rate.amount(gigabytes) for gigabytes in (0, 5, 6, 105)] == [0, 0, 3, 300]
