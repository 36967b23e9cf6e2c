from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from infra.azure.place import Place
from infra.sections.monitoring import MonitoringSettings
from tests.infra.azure.monitoring import record_alerts, with_alerts


@pytest.fixture
def budget(place: Place) -> Any:
    settings = with_alerts(monthly_budget=250, budget_from="2027-03")
    return record_alerts(place, settings).one(":Budget")


def test_the_amount_is_a_months(budget: Any) -> None:
    assert budget.inputs["amount"] == 250
    assert budget.inputs["timeGrain"] == "Monthly"
    assert budget.inputs["category"] == "Cost"


def test_nodes_in_the_clusters_own_resource_group_are_counted(budget: Any, place: Place) -> None:
    assert budget.inputs["scope"] == place.subscription
    counted = {
        part["tags"]["name"]: part["tags"]["values"] for part in budget.inputs["filter"]["and"]
    }
    assert counted == {"application": ["scoring"], "pulumi-stack": ["test"]}


def test_it_tells_at_80_and_100_percent_and_when_100_is_foreseen(budget: Any) -> None:
    told = {
        (notification["thresholdType"], notification["threshold"])
        for notification in budget.inputs["notifications"].values()
    }
    assert told == {("Actual", 80), ("Actual", 100), ("Forecasted", 100)}
    for notification in budget.inputs["notifications"].values():
        assert notification["contactEmails"] == ["on-call@example.org"]
        assert notification["enabled"] is True


def test_its_start_comes_from_the_settings_and_is_never_changed(budget: Any) -> None:
    assert budget.inputs["timePeriod"] == {"startDate": "2027-03-01T00:00:00Z"}
    assert budget.options.ignore_changes == ("timePeriod",)


def test_there_is_none_without_an_amount(place: Place) -> None:
    assert not record_alerts(place, with_alerts()).of_type(":Budget")


@pytest.mark.parametrize("month", ["2027-13", "2027-3", "2027-03-01", ""])
def test_only_a_month_is_a_month(month: str) -> None:
    with pytest.raises(ValidationError, match="budget_from"):
        MonitoringSettings.model_validate({"budget_from": month})
