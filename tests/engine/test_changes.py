"""What a change of the settings, or of the cloud, does to a stack that is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.engine.project import Project

SAME = ("same", "read")
POOL = "pools-cpu"


def steps(project: Project, changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What would be done, with the resources' names, in order; without what stays as it is."""
    arguments = project.changed("dev", changes)
    planned = project.read("preview", "--json", "--stack", "dev", *arguments)["steps"]
    return [
        (step["op"], step["urn"].rpartition("::")[2]) for step in planned if step["op"] not in SAME
    ]


def test_a_setting_of_the_cluster_changes_the_cluster_alone(deployed: Project) -> None:
    assert steps(deployed, {"cluster.image_cleaner_hours": 72}) == [("update", "cluster")]


def test_a_setting_of_a_service_changes_its_own_objects_alone(deployed: Project) -> None:
    changed = steps(deployed, {"faq.cpu_millicores": 300})
    assert set(changed) == {
        ("update", "workloads-faq-deployment"),
        ("update", "namespaces-services-quota"),
    }


def test_a_pool_with_a_new_name_is_there_before_the_old_one_goes(deployed: Project) -> None:
    pool = {"cluster.cpu_pool.name": "cpu2", "cluster.cpu_pool.vm_size": "Standard_D4ds_v5"}
    assert steps(deployed, pool) == [("create", "pools-cpu2"), ("delete", POOL)]


def test_a_pool_of_the_same_name_is_replaced_and_nothing_else(deployed: Project) -> None:
    done = steps(deployed, {"cluster.cpu_pool.vm_size": "Standard_D4ds_v5"})
    assert done == [("replace", POOL)]


def test_what_azure_scales_and_upgrades_by_itself_is_left_alone(deployed: Project) -> None:
    pools = deployed.inputs("dev", "cluster")["agentPoolProfiles"]
    deployed.drift(
        {
            POOL: {"count": 2, "orchestratorVersion": "1.36.9"},
            "cluster": {
                "kubernetesVersion": "1.36.9",
                "agentPoolProfiles": [{**pools[0], "count": 2, "orchestratorVersion": "1.36.9"}],
            },
        }
    )
    deployed.run("refresh", "--yes", "--stack", "dev")
    assert deployed.inputs("dev", POOL)["count"] == 2, "the refresh has found it"
    deployed.run("preview", "--stack", "dev", "--expect-no-changes")


def test_what_others_change_besides_is_set_back(deployed: Project) -> None:
    deployed.drift({POOL: {"maxCount": 9}})
    deployed.run("refresh", "--yes", "--stack", "dev")
    assert steps(deployed, {}) == [("update", POOL)]
