"""A local price list in the form of Azure's Retail Prices API.

The prices are made up for the tests: one for each meter, easy to reckon with.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import address_of, served

REGION = "westeurope"
Item = dict[str, Any]


def item(service: str, product: str, meter: str, price: float, **further: Any) -> Item:
    """One price, with all properties that the API gives."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": price,
        "unitPrice": price,
        "armRegionName": REGION,
        "location": "EU West",
        "effectiveStartDate": "2024-01-01T00:00:00Z",
        "meterId": f"{product}/{meter}",
        "meterName": meter,
        "productId": "DZH318Z0BQPS",
        "skuId": "DZH318Z0BQPS/00TG",
        "productName": product,
        "skuName": meter.split()[0],
        "serviceName": service,
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
        **further,
    }


def machine(size: str, price: float) -> list[Item]:
    """A VM size as the list has it: Linux, Windows, spot, low priority, reserved."""
    short = size.removeprefix("Standard_").replace("_", " ")
    linux, windows = "Virtual Machines Series", "Virtual Machines Series Windows"
    named: dict[str, Any] = {"armSkuName": size}

    def vm(product: str, meter: str, of: float, **further: Any) -> Item:
        return item("Virtual Machines", product, meter, of, **named, **further)

    return [
        vm(windows, short, 9 * price),
        vm(linux, short, price),
        vm(linux, f"{short} Spot", price / 10),
        vm(linux, f"{short} Low Priority", price / 5),
        vm(windows, f"{short} Spot", 9 * price),
        vm(linux, short, 600 * price * 12, type="Reservation", reservationTerm="1 Year"),
        vm(linux, short, 400 * price * 36, type="Reservation", reservationTerm="3 Years"),
        vm(linux, short, 1, type="DevTestConsumption"),
    ]


def every_item() -> list[Item]:
    """The list, less of what a test takes away."""
    everywhere = {"armRegionName": "Global"}
    logs = ("Log Analytics", "Log Analytics", "Analytics Logs Data Ingestion")
    gb = {"unitOfMeasure": "1 GB"}
    sizes = {"D2ds_v5": 0.1, "D4ds_v5": 0.2, "D8ds_v5": 0.4, "D2ads_v5": 0.1, "NC4as_T4_v3": 1.0}
    balancer, gateway = "Load Balancer", "Application Gateway WAF v2"
    network, rules = "Virtual Network", "Standard Included LB Rules and Outbound Rules"
    day = {"unitOfMeasure": "1/Day"}
    return [
        *(each for size, price in sizes.items() for each in machine(f"Standard_{size}", price)),
        item("Azure Kubernetes Service", "Azure Kubernetes Service", "Standard Uptime SLA", 0.1),
        item(balancer, balancer, rules, 0.02, **everywhere),
        item(balancer, balancer, "Standard Data Processed", 0.005, **everywhere, **gb),
        item("NAT Gateway", "NAT Gateway", "Standard Gateway", 0.04),
        item("NAT Gateway", "NAT Gateway", "Standard Data Processed", 0.04, **gb),
        item(network, "IP Addresses", "Standard IPv4 Static Public IP", 0.005),
        item(network, "IP Addresses", "Basic IPv4 Static Public IP", 0.004),
        item(network, "Virtual Network Private Link", "Standard Private Endpoint", 0.01, **everywhere),
        item("Container Registry", "Container Registry", "Basic Registry Unit", 0.2, **day),
        item("Container Registry", "Container Registry", "Premium Registry Unit", 2, **day),
        item(
            "Container Registry", "Container Registry", "Premium Registry Unit", 2, **day
        ) | {"armRegionName": "northeurope"},
        item(*logs, 0.0, **gb),
        item(*logs, 3.0, tierMinimumUnits=5.0, **gb),
        item("Application Gateway", gateway, "Standard Fixed Cost", 0.4),
        item("Application Gateway", gateway, "Standard Capacity Units", 0.01),
    ]  # fmt: skip


@dataclass
class PriceList:
    """The server's list; a test changes what it is about."""

    url: str = ""
    items: list[Item] = field(default_factory=every_item)
    page_size: int = 3
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    body: bytes | None = None
    next_host: str | None = None
    asked: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def price_list() -> Iterator[PriceList]:
    """The list on a port of its own."""
    prices = PriceList()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
            prices.asked.append(query)
            if prices.faults:
                status, headers = prices.faults.pop(0)
                self._send(status, b"{}", headers)
                return
            self._send(200, prices.body or json.dumps(_page(prices, query)).encode(), {})

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    prices.url = f"{address_of(server)}/api/retail/prices"
    with served(server):
        yield prices


def _page(prices: PriceList, query: dict[str, str]) -> dict[str, Any]:
    wanted = {
        ("type" if key == "priceType" else key): value
        for key, value in re.findall(r"(\w+) eq '([^']*)'", query["$filter"])
    }
    found = [
        {**each, "currencyCode": query["currencyCode"].strip("'")}
        for each in prices.items
        if all(each[key] == value for key, value in wanted.items())
    ]
    start = int(query.get("$skip", 0))
    end = start + prices.page_size
    link = None
    if end < len(found):
        base = prices.url.replace("127.0.0.1", prices.next_host or "127.0.0.1")
        link = f"{base}?currencyCode={query['currencyCode']}&$filter={query['$filter']}&$skip={end}"
    items = found[start:end]
    return {
        "BillingCurrency": query["currencyCode"].strip("'"),
        "CustomerEntityId": "Default",
        "CustomerEntityType": "Retail",
        "Items": items,
        "NextPageLink": link,
        "Count": len(items),
    }
