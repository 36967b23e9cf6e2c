"""What the VM sizes offer that pools may use, and what AKS leaves of it to pods.

Sources: learn.microsoft.com/azure/virtual-machines/sizes (the pages of the series), and
learn.microsoft.com/azure/aks/node-resource-reservations for what a node keeps for itself.
A size that is missing here can be added; a wrong entry would let a pod be declared that never fits.
"""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTES_PER_GIBIBYTE = 1024


@dataclass(frozen=True)
class VmSize:
    """One VM size.

    Attributes:
        cpus: virtual CPUs.
        memory_gib: memory.
        local_disk_gib: largest ephemeral OS disk: cache or temporary disk, not NVMe, which an OS
            disk would take as a whole.
        gpus: NVIDIA GPUs.
        can_partition: whether its GPUs can be cut into instances (MIG).
    """

    cpus: int
    memory_gib: int
    local_disk_gib: int
    gpus: int = 0
    can_partition: bool = False

    def allocatable_millicores(self) -> int:
        """CPU left to pods, in thousandths of a core.

        AKS keeps 60, 100, 140, 180, 260, 420 and 740 millicores of 1, 2, 4, 8, 16, 32 and 64
        cores: the sizes between and beyond lie on the same line.
        """
        kept = {1: 60, 2: 100, 3: 120}.get(self.cpus, 100 + 10 * self.cpus)
        return 1000 * self.cpus - kept

    def allocatable_mib(self, max_pods: int) -> int:
        """Memory left to pods, in MiB.

        AKS (1.29 and newer) keeps the smaller of 20 MiB for each possible pod and 50 MiB, and a
        quarter of the memory; the eviction threshold is 100 MiB.
        """
        memory = self.memory_gib * MEBIBYTES_PER_GIBIBYTE
        kept = min(20 * max_pods + 50, memory // 4)
        return memory - kept - 100


VM_SIZES: dict[str, VmSize] = {
    "Standard_D2ds_v5": VmSize(2, 8, 75),
    "Standard_D4ds_v5": VmSize(4, 16, 150),
    "Standard_D8ds_v5": VmSize(8, 32, 300),
    "Standard_D16ds_v5": VmSize(16, 64, 600),
    "Standard_D32ds_v5": VmSize(32, 128, 1200),
    "Standard_D2ads_v5": VmSize(2, 8, 75),
    "Standard_D4ads_v5": VmSize(4, 16, 150),
    "Standard_D8ads_v5": VmSize(8, 32, 300),
    "Standard_D16ads_v5": VmSize(16, 64, 600),
    "Standard_E4ds_v5": VmSize(4, 32, 150),
    "Standard_E8ds_v5": VmSize(8, 64, 300),
    "Standard_F4s_v2": VmSize(4, 8, 64),
    "Standard_F8s_v2": VmSize(8, 16, 128),
    "Standard_F16s_v2": VmSize(16, 32, 256),
    "Standard_NC4as_T4_v3": VmSize(4, 28, 176, gpus=1),
    "Standard_NC8as_T4_v3": VmSize(8, 56, 352, gpus=1),
    "Standard_NC16as_T4_v3": VmSize(16, 110, 352, gpus=1),
    "Standard_NC64as_T4_v3": VmSize(64, 440, 2816, gpus=4),
    "Standard_NC24ads_A100_v4": VmSize(24, 220, 64, gpus=1, can_partition=True),
    "Standard_NC48ads_A100_v4": VmSize(48, 440, 128, gpus=2, can_partition=True),
    "Standard_NC96ads_A100_v4": VmSize(96, 880, 256, gpus=4, can_partition=True),
    "Standard_NC40ads_H100_v5": VmSize(40, 320, 128, gpus=1, can_partition=True),
    "Standard_NC80adis_H100_v5": VmSize(80, 640, 256, gpus=2, can_partition=True),
}
"""By name, without the burstable B series, which AKS asks not to use."""

MIG_INSTANCES = {"MIG1g": 7, "MIG2g": 3, "MIG3g": 2, "MIG4g": 1, "MIG7g": 1}
"""Instances that one A100 or H100 gives with each profile (NVIDIA MIG user guide)."""
