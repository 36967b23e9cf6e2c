"""What AKS leaves of a node to pods, against the figures of AKS's own page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.capacity import (
    SYSTEM_MIB,
    SYSTEM_MILLICORES,
    cpu_nodes_for_most_pods,
    empty_node,
    gpu_pods_per_node,
    gpus_per_node,
    pod_fits,
)
from infra.sections.node_pools import GpuPoolSettings
from infra.sections.workloads import ResnetSettings, ScalingSettings, WorkloadSettings
from infra.settings import Settings, read_settings
from infra.vm_sizes import MIG_INSTANCES, VM_SIZES, VmSize
from tests.infra.stack_files import SOUND


@pytest.mark.parametrize(
    ("cpus", "reserved"),
    [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740), (24, 340), (96, 1060)],
)
def test_cpu_that_aks_keeps(cpus: int, reserved: int) -> None:
    assert VmSize(cpus, 8, 75).allocatable_millicores() == 1000 * cpus - reserved


@pytest.mark.parametrize(
    ("memory_gib", "max_pods", "kept_mib"),
    [
        # The page's two examples: 20 for each of 30 pods and 50; a quarter where that is less.
        (8, 30, 650),
        (4, 70, 1024),
        (8, 250, 2048),
    ],
)
def test_memory_that_aks_keeps(memory_gib: int, max_pods: int, kept_mib: int) -> None:
    left = VmSize(2, memory_gib, 75).allocatable_mib(max_pods)

    assert left == memory_gib * 1024 - kept_mib - 100


def workloads_with(settings: Settings, pods: list[tuple[int, int, int]]) -> list[WorkloadSettings]:
    """A workload for each number of pods, with the millicores and MiB that each pod asks for."""
    return [
        settings.faq.model_copy(
            update={
                "cpu_millicores": cpu,
                "memory_mib": memory,
                "scaling": ScalingSettings(max_replicas=number),
            }
        )
        for number, cpu, memory in pods
    ]


def test_a_pod_fits_up_to_the_last_millicore_and_mebibyte() -> None:
    settings = read_settings(SOUND)
    size = VM_SIZES[settings.cluster.cpu_pool.vm_size]
    cpu = size.allocatable_millicores() - SYSTEM_MILLICORES
    memory = size.allocatable_mib(settings.cluster.cpu_pool.max_pods) - SYSTEM_MIB

    def fault(cpu_millicores: int, memory_mib: int) -> str | None:
        pod = settings.faq.model_copy(
            update={"cpu_millicores": cpu_millicores, "memory_mib": memory_mib}
        )
        found = pod_fits(settings, "cpu_pool", pod)
        return None if found is None else found.key

    assert fault(cpu, memory) is None
    assert fault(cpu + 1, memory) == "cpu_millicores"
    assert fault(cpu, memory + 1) == "memory_mib"


@pytest.mark.parametrize(
    ("pool", "gpus"),
    [
        (GpuPoolSettings(), 1),
        (GpuPoolSettings(vm_size="Standard_NC64as_T4_v3"), 4),
        (GpuPoolSettings(time_slices=4), 4),
        (GpuPoolSettings(vm_size="Standard_NC48ads_A100_v4", mig_profile="MIG1g"), 14),
        (GpuPoolSettings(vm_size="Standard_NC40ads_H100_v5", mig_profile="MIG3g"), 2),
    ],
)
def test_gpus_that_a_node_offers(pool: GpuPoolSettings, gpus: int) -> None:
    assert gpus_per_node(pool) == gpus


@pytest.mark.parametrize(
    ("pool", "pod", "pods"),
    [
        ({}, {}, 1),
        ({"time_slices": 4}, {}, 1),
        ({"time_slices": 4}, {"cpu_millicores": 865}, 4),
        ({"time_slices": 4}, {"cpu_millicores": 865, "memory_mib": 12_000}, 2),
        ({"vm_size": "Standard_NC24ads_A100_v4", "mig_profile": "MIG1g"}, {}, 7),
    ],
)
def test_pods_that_a_gpu_node_holds(pool: dict[str, Any], pod: dict[str, Any], pods: int) -> None:
    assert gpu_pods_per_node(GpuPoolSettings(**pool), ResnetSettings(**pod)) == pods


@pytest.mark.parametrize(
    ("pods", "nodes"),
    [
        # A node of the default size has 3460 millicores and, for 60 pods, 14134 MiB.
        ([(1, 3460, 512)], 2),
        ([(4, 1000, 512)], 2),
        ([(4, 2000, 2048), (4, 1000, 512)], 4),
        ([(2, 100, 14_000)], 3),
        ([(2, 100, 13_000)], 2),
        ([(90, 50, 64)], 3),
    ],
    ids=str,
)
def test_nodes_that_hold_the_most_pods(pods: list[tuple[int, int, int]], nodes: int) -> None:
    """Beside three of the gateway's, with 250 millicores and 512 MiB each."""
    settings = read_settings(SOUND)
    assert cpu_nodes_for_most_pods(settings, workloads_with(settings, pods)) == nodes


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(50, 3460), st.integers(64, 14_134)), max_size=3
    )
)
def test_no_fewer_nodes_than_the_pods_ask_for_together(pods: list[tuple[int, int, int]]) -> None:
    settings = read_settings(SOUND)
    needed = cpu_nodes_for_most_pods(settings, workloads_with(settings, pods))
    node = empty_node(settings.cluster.cpu_pool)
    assert needed * node.millicores >= sum(number * cpu for number, cpu, _ in pods) + 3 * 250
    assert needed * node.mebibytes >= sum(number * memory for number, _, memory in pods) + 3 * 512


def test_no_burstable_size_is_known() -> None:
    assert not [name for name in VM_SIZES if name.startswith("Standard_B")]


def test_every_size_fits_an_os_disk_of_its_pools_least_size() -> None:
    assert not [name for name, size in VM_SIZES.items() if size.local_disk_gib < 30]
    assert not [name for name, size in VM_SIZES.items() if size.gpus and size.local_disk_gib < 64]


def test_only_sizes_with_gpus_can_be_cut() -> None:
    assert not [name for name, size in VM_SIZES.items() if size.can_partition and not size.gpus]
    assert MIG_INSTANCES["MIG7g"] == 1
