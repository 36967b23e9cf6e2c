from __future__ import annotations

from typing import Any

from infra.azure.node_pools import NodePools, NodePoolsArgs
from infra.azure.place import Place
from infra.recording import Recorded, Recording, record_component
from infra.scheduling import GPU_TAINT, POOL_LABEL, SPOT_TAINT
from infra.sections.cluster import ClusterSettings
from tests.infra.azure.cluster_side import Inputs, azure_options, inputs_of

A100 = {"vm_size": "Standard_NC24ads_A100_v4", "os_disk_gb": 64}


def record_pools(place: Place, **cluster: Any) -> Recording:
    settings = ClusterSettings.model_validate(cluster)
    return record_component(
        lambda: NodePools(
            "pools", NodePoolsArgs(place, settings, "aks", "<subnet>"), azure_options()
        )
    )


def pool(place: Place, name: str, **cluster: Any) -> Recorded:
    return record_pools(place, **cluster).one(":AgentPool", f"pools-{name}")


def inputs(place: Place, name: str, **cluster: Any) -> Inputs:
    return inputs_of(pool(place, name, **cluster))


def test_no_gpu_pool_by_default(place: Place) -> None:
    recording = record_pools(place)
    assert [r.inputs["agentPoolName"] for r in recording.of_type(":AgentPool")] == ["cpu"]
    assert recording.one(":NodePools").outputs == {"names": ["cpu"]}


def test_cpu_pool(place: Place) -> None:
    found = inputs(
        place,
        "cpu",
        zones=["1", "3"],
        cpu_pool={"vm_size": "Standard_D8ds_v5", "min_nodes": 2, "max_nodes": 7, "max_pods": 80},
    )
    assert found["mode"] == "User"
    assert found["vmSize"] == "Standard_D8ds_v5"
    assert found["enableAutoScaling"] is True
    assert (found["count"], found["minCount"], found["maxCount"]) == (2, 2, 7)
    assert found["maxPods"] == 80
    assert found["availabilityZones"] == ["1", "3"]
    assert found["osSKU"] == "AzureLinux3"
    assert found["osDiskType"] == "Ephemeral"
    assert found["vnetSubnetID"] == "<subnet>"
    assert found["resourceName"] == "aks"
    assert found["enableNodePublicIP"] is False


def test_cpu_pool_takes_every_pod_that_selects_it(place: Place) -> None:
    found = inputs(place, "cpu")
    assert found["nodeLabels"] == {POOL_LABEL: "cpu"}
    assert found["nodeTaints"] == []
    assert "gpuProfile" not in found


def test_gpu_pool_keeps_other_pods_away_and_may_go_empty(place: Place) -> None:
    found = inputs(place, "gpu", gpu_pool={"max_nodes": 4})
    assert found["nodeLabels"] == {POOL_LABEL: "gpu"}
    assert found["nodeTaints"] == [GPU_TAINT]
    assert (found["count"], found["minCount"], found["maxCount"]) == (0, 0, 4)


def test_gpu_pool_gets_its_driver_and_a_system_that_is_patched(place: Place) -> None:
    found = inputs(place, "gpu", gpu_pool={})
    assert found["gpuProfile"] == {"driver": "Install"}
    assert found["osSKU"] == "Ubuntu"
    assert "gpuInstanceProfile" not in found


def test_gpus_are_cut_into_instances_on_request(place: Place) -> None:
    found = inputs(place, "gpu", gpu_pool={**A100, "mig_profile": "MIG2g"})
    assert found["gpuInstanceProfile"] == "MIG2g"


class TestSpot:
    def test_taint_label_and_eviction(self, place: Place) -> None:
        found = inputs(place, "cpu", cpu_pool={"spot": True})
        assert found["scaleSetPriority"] == "Spot"
        assert found["scaleSetEvictionPolicy"] == "Delete"
        assert found["spotMaxPrice"] == -1
        assert found["nodeTaints"] == [SPOT_TAINT]
        assert found["nodeLabels"]["kubernetes.azure.com/scalesetpriority"] == "spot"

    def test_no_surge_which_azure_refuses_there(self, place: Place) -> None:
        found = inputs(place, "cpu", cpu_pool={"spot": True})
        assert found["upgradeSettings"] == {"drainTimeoutInMinutes": 30}

    def test_gpu_pool_has_both_taints_and_a_price(self, place: Place) -> None:
        found = inputs(place, "gpu", gpu_pool={"spot": True, "spot_max_price_usd": 0.4})
        assert found["nodeTaints"] == [GPU_TAINT, SPOT_TAINT]
        assert found["spotMaxPrice"] == 0.4

    def test_nothing_of_it_without(self, place: Place) -> None:
        found = inputs(place, "cpu")
        assert found["scaleSetPriority"] == "Regular"
        assert not {"spotMaxPrice", "scaleSetEvictionPolicy"} & set(found)


def test_node_that_cannot_be_drained_is_set_aside(place: Place) -> None:
    assert inputs(place, "cpu", cpu_pool={"max_surge": "1"})["upgradeSettings"] == {
        "maxSurge": "1",
        "drainTimeoutInMinutes": 30,
        "undrainableNodeBehavior": "Cordon",
    }


def test_pods_ask_the_cluster_for_names_and_not_their_node(place: Place) -> None:
    """What the network policies let them do."""
    for name in ("cpu", "gpu"):
        assert inputs(place, name, gpu_pool=A100)["localDNSProfile"] == {"mode": "Disabled"}


def test_new_name_makes_a_new_pool_before_the_old_one_goes(place: Place) -> None:
    """Another URN: the engine creates what is new before it deletes what is gone."""
    one, other = pool(place, "cpu"), pool(place, "cpu2", cpu_pool={"name": "cpu2"})
    assert one.urn != other.urn
    assert other.inputs["agentPoolName"] == "cpu2"


def test_same_name_cannot_be_there_twice(place: Place) -> None:
    assert pool(place, "cpu").options.delete_before_replace is True


def test_autoscaler_and_upgrades_are_not_put_back(place: Place) -> None:
    assert pool(place, "cpu").options.ignore_changes == ("count", "orchestratorVersion")
    still = pool(place, "cpu", upgrades={"channel": "none"})
    assert still.options.ignore_changes == ("count",)


def test_pools_have_the_clusters_version(place: Place) -> None:
    found = inputs(place, "cpu", kubernetes_version="1.35")
    assert found["orchestratorVersion"] == "1.35"


def test_pools_are_tagged_children(place: Place) -> None:
    recording = record_pools(place, gpu_pool={})
    for found in recording.of_type(":AgentPool"):
        assert found.parent == recording.one(":NodePools").urn
        assert found.inputs["tags"] == place.tags
