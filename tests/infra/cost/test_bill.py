"""What a stack costs: every resource is priced, free, or named as not priced."""

from __future__ import annotations

import pytest

from infra.cost.bill import Bill, bill_of, filter_of
from infra.cost.lines import Traffic, Unpriced, Used
from infra.cost.meters import free_of_charge, lines_of
from infra.cost.price import DAYS_A_MONTH, HOURS_A_MONTH, Price
from infra.planning.resource_types import is_azure
from tests.infra.cost.price_list import REGION, Item, every_item, item
from tests.infra.plans import NAMES, recording_of, settings_of

AZURE = [name for name in NAMES if not settings_of(name).is_local]


def bill(name: str, items: list[Item] | None = None, traffic: Traffic | None = None) -> Bill:
    every = [Price.model_validate(each) for each in items or every_item()]
    recording = recording_of(name)
    lines = list(lines_of(settings_of(name), recording, traffic or Traffic()))

    def ask(filter_: str) -> list[Price]:
        return [price for price in every if _is_of(price, filter_)]

    return bill_of(lines, free_of_charge(recording), ask, "USD")


def _is_of(price: Price, filter_: str) -> bool:
    return all(
        getattr(price, "type" if key == "priceType" else key) == value.strip("'")
        for key, value in (part.split(" eq ") for part in filter_.split(" and "))
    )


@pytest.mark.parametrize("name", AZURE)
def test_no_resource_of_any_stack_is_left_out(name: str) -> None:
    recording, settings = recording_of(name), settings_of(name)
    lines = list(lines_of(settings, recording, Traffic()))
    named = {line.resource for line in lines} | set(free_of_charge(recording))
    # A cluster of tier Free costs its nodes, which are lines of their own.
    left = {one.name for one in recording.resources if is_azure(one)} - named
    assert not [name for name in left if name != "cluster" and not name.startswith("pools-")]
    assert not [
        line for line in lines if isinstance(line, Unpriced) and "nothing is known" in line.why
    ]
    if settings.has_platform:
        assert len([line for line in lines if line.resource.startswith("nodes ")]) >= 2


def test_the_smallest_stack_is_reckoned_as_by_hand() -> None:
    # Two nodes of 0.10 an hour and a registry of 0.20 a day; two addresses; NAT; load balancer.
    hours = 2 * 0.1 + 2 * 0.005 + 0.04 + 0.02
    fewest = hours * HOURS_A_MONTH + 0.2 * DAYS_A_MONTH
    found = bill("dev")
    assert found.fewest == pytest.approx(fewest)
    # Twice the nodes, and half a gigabyte of logs a day, five of them free.
    most = fewest + 2 * 0.1 * HOURS_A_MONTH + (0.5 * DAYS_A_MONTH - 5) * 3
    assert found.most == pytest.approx(most)


def test_linux_is_priced_and_neither_windows_nor_spot_nor_low_priority() -> None:
    nodes = {item.resource: item for item in bill("dev").items}["nodes cpu"]
    assert nodes.rate.unit_price == 0.1
    spot = {item.resource: item for item in bill("gpu-spot").items}["nodes gpuspot"]
    assert spot.rate.unit_price == pytest.approx(0.1)
    assert (spot.fewest, spot.most) == (0, 4 * HOURS_A_MONTH)


def test_other_ways_to_pay_are_named() -> None:
    (size,) = bill("dev").nodes
    assert size.vm_size == "Standard_D2ds_v5"
    assert size.pay_as_you_go == pytest.approx(73)
    assert size.spot == pytest.approx(7.3)
    # A reservation's price is its whole term's.
    assert size.one_year == pytest.approx(60)
    assert size.three_years == pytest.approx(40)


def test_a_meter_that_is_not_in_the_list_is_named_and_not_summed() -> None:
    less = [each for each in every_item() if each["serviceName"] != "NAT Gateway"]
    found = bill("dev", less)
    assert found.fewest == pytest.approx(bill("dev").fewest - 0.04 * HOURS_A_MONTH)
    assert Unpriced(
        "network-outbound-gateway",
        "the price list has no meter for it (NAT Gateway, Standard Gateway)",
    ) in found.unpriced  # fmt: skip


def test_two_meters_of_one_name_or_another_unit_are_not_guessed_from() -> None:
    twice = [
        *every_item(),
        item("NAT Gateway", "NAT Gateway", "Standard Gateway", 9, meterId="another"),
    ]
    assert any("several meters" in each.why for each in bill("dev", twice).unpriced)
    other = [
        {**each, "unitOfMeasure": "1/Month"} if each["serviceName"] == "NAT Gateway" else each
        for each in every_item()
    ]
    assert any("its unit, 1/Month" in each.why for each in bill("dev", other).unpriced)


def test_what_only_users_know_is_an_input() -> None:
    without, given = bill("dev"), bill("dev", traffic=Traffic(log_gb_a_day=2, gb_a_month=100))
    assert [each for each in without.unpriced if "--traffic-gb" in each.why]
    assert not [each for each in given.unpriced if "--traffic-gb" in each.why]
    logs = {item.resource: item for item in given.items}["logs-workspace"]
    assert logs.fewest == logs.most == pytest.approx(2 * DAYS_A_MONTH)
    assert given.fewest > without.fewest


def test_production_has_lines_for_what_makes_it_dear() -> None:
    found = bill("prod")
    named = {item.rate.meter.partition(", ")[2] for item in found.items}
    assert {"Standard Uptime SLA", "Premium Registry Unit", "Standard Private Endpoint"} <= named
    replicas = [item for item in found.items if "Registry Unit" in item.rate.meter]
    assert len(replicas) == 2
    # Not in this list of prices: Defender, the DDoS plan, Grafana, private zones.
    assert {"network-ddos-plan", "dashboards-grafana"} <= {each.resource for each in found.unpriced}


def test_questions_are_odata() -> None:
    lines = lines_of(settings_of("dev"), recording_of("dev"), Traffic())
    filters = {filter_of(line.meter, line.region) for line in lines if isinstance(line, Used)}
    assert (
        f"serviceName eq 'Virtual Machines' and armRegionName eq '{REGION}' "
        "and armSkuName eq 'Standard_D2ds_v5'" in filters
    )
    assert len(filters) == 6
