from __future__ import annotations

from typing import Any

import pulumi
import pytest

from infra.azure.maintenance import declare_windows
from infra.azure.place import Place
from infra.recording import Recorded, record_component
from infra.sections.cluster import UpgradeSettings


def windows(place: Place, **upgrades: Any) -> dict[str, Recorded]:
    """The windows by the names under which AKS knows them."""
    settings = UpgradeSettings.model_validate(upgrades)

    def build() -> None:

        parent = pulumi.ComponentResource("test:test:Parent", "parent")
        declare_windows("cluster", place, "aks", settings, parent)

    recording = record_component(build)
    return {str(r.inputs["configName"]): r for r in recording.of_type(":MaintenanceConfiguration")}


def test_a_window_for_kubernetes_and_one_for_the_nodes(place: Place) -> None:
    found = windows(
        place,
        cluster_window={
            "day": "Monday", "start_time": "01:30", "utc_offset": "+02:00", "duration_hours": 6,
        },
    )  # fmt: skip
    assert set(found) == {"aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"}
    assert found["aksManagedAutoUpgradeSchedule"].inputs["maintenanceWindow"] == {
        "schedule": {"weekly": {"dayOfWeek": "Monday", "intervalWeeks": 1}},
        "startTime": "01:30",
        "utcOffset": "+02:00",
        "durationHours": 6,
    }


def test_the_two_are_not_on_one_day_by_default(place: Place) -> None:
    days = [str(window.inputs["maintenanceWindow"]) for window in windows(place).values()]
    assert len(set(days)) == 2


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ({"channel": "none"}, {"aksManagedNodeOSUpgradeSchedule"}),
        ({"node_image_channel": "None"}, {"aksManagedAutoUpgradeSchedule"}),
        ({"channel": "none", "node_image_channel": "None"}, set[str]()),
    ],
)
def test_no_window_for_upgrades_that_azure_does_not_do(
    place: Place, off: dict[str, str], left: set[str]
) -> None:
    assert set(windows(place, **off)) == left


def test_windows_belong_to_the_cluster(place: Place) -> None:
    for window in windows(place).values():
        assert window.inputs["resourceName"] == "aks"
        assert "test:test:Parent" in window.parent
