"""Rules on node pools: the cluster's inline one, and those declared by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.cluster import CLUSTER
from policies.reading import (
    UNKNOWN,
    at,
    holds_unknown,
    is_set,
    items,
    may_equal,
    number,
    shown,
    text,
)
from policies.rule import AnyRule, Resource, ResourceCheck, ResourceRule
from policies.sources import aks, checkov, issue, psrule

POOL = "azure-native:containerservice:AgentPool"
FEWEST_PODS = 50
SYSTEM_TAINT = "CriticalAddonsOnly=true:NoSchedule"
GPU_TAINT_KEY = "nvidia.com/gpu"
SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
LIVING_SYSTEMS = ("AzureLinux3", "Ubuntu", "Ubuntu2204", "Ubuntu2404")

PoolCheck = Callable[[object], Iterator[str]]


def _each(check: PoolCheck) -> ResourceCheck:
    """The check of every pool that a resource declares, be it inline or by itself."""

    def of_resource(resource: Resource) -> Iterator[str]:
        if resource.type == POOL:
            yield from check(resource.properties)
            return
        for pool in items(resource.at("agentPoolProfiles")):
            name = text(at(pool, "name"))
            yield from (f"pool {name}: {message}" for message in check(pool))

    return of_resource


def _autoscaling(pool: object) -> Iterator[str]:
    enabled = at(pool, "enableAutoScaling")
    if enabled not in (True, UNKNOWN):
        yield f"enableAutoScaling is {shown(enabled)}"
        return
    fewest, most = number(at(pool, "minCount")), number(at(pool, "maxCount"))
    if fewest is not None and most is not None and fewest > most:
        yield f"minCount {shown(fewest)} is over maxCount {shown(most)}"


def _most_pods(pool: object) -> Iterator[str]:
    most = at(pool, "maxPods")
    if most is not UNKNOWN and (number(most) or 0) < FEWEST_PODS:
        yield f"maxPods is {shown(most)}, less than {FEWEST_PODS}"


def _ephemeral_disk(pool: object) -> Iterator[str]:
    kind = at(pool, "osDiskType")
    if kind not in ("Ephemeral", UNKNOWN):
        yield f"osDiskType is {shown(kind)}"


def _not_burstable(pool: object) -> Iterator[str]:
    size = at(pool, "vmSize")
    if text(size).startswith("Standard_B"):
        yield f"vmSize {size} is burstable"


def _living_system(pool: object) -> Iterator[str]:
    system = at(pool, "osSKU")
    if system not in (*LIVING_SYSTEMS, UNKNOWN):
        yield f"osSKU is {shown(system)}, not {', '.join(LIVING_SYSTEMS)}"


def _zones(pool: object) -> Iterator[str]:
    zones = at(pool, "availabilityZones")
    if zones is not UNKNOWN and len(items(zones)) < 2:
        yield "availabilityZones names fewer than two zones"


def _no_public_address(pool: object) -> Iterator[str]:
    if at(pool, "enableNodePublicIP") is True:
        yield "enableNodePublicIP is true"


def _system_pool(check: PoolCheck) -> ResourceCheck:
    def of_system_pool(pool: object) -> Iterator[str]:
        if at(pool, "mode") == "System":
            yield from check(pool)

    return _each(of_system_pool)


def _three_nodes(pool: object) -> Iterator[str]:
    fewest = at(pool, "minCount")
    if fewest is not UNKNOWN and (number(fewest) or 0) < 3:
        yield f"minCount is {shown(fewest)}, less than 3"


def _system_taint(pool: object) -> Iterator[str]:
    taints = at(pool, "nodeTaints")
    if not holds_unknown(taints) and SYSTEM_TAINT not in items(taints):
        yield f"nodeTaints lacks {SYSTEM_TAINT}"


def _gpu_taint(pool: object) -> Iterator[str]:
    taints = at(pool, "nodeTaints")
    if holds_unknown(taints) or not re.match(r"Standard_N[CDV]", text(at(pool, "vmSize"))):
        return
    if not any(text(taint).startswith(GPU_TAINT_KEY) for taint in items(taints)):
        yield f"vmSize {at(pool, 'vmSize')} has GPUs, and nodeTaints lacks {GPU_TAINT_KEY}"


def _spot(pool: object) -> Iterator[str]:
    if at(pool, "scaleSetPriority") != "Spot":
        return
    taints = at(pool, "nodeTaints")
    if not holds_unknown(taints) and SPOT_TAINT not in items(taints):
        yield f"nodeTaints lacks {SPOT_TAINT}, which AKS adds by itself"
    if is_set(at(pool, "upgradeSettings", "maxSurge")):
        yield "upgradeSettings.maxSurge is set, which AKS refuses on spot nodes"
    if at(pool, "scaleSetEvictionPolicy") not in ("Delete", UNKNOWN):
        yield "scaleSetEvictionPolicy is not Delete: evicted nodes would still cost their disks"


def _surge(pool: Resource) -> Iterator[str]:
    if not may_equal(pool.at("scaleSetPriority"), "Spot") and not pool.at(
        "upgradeSettings", "maxSurge"
    ):
        yield "upgradeSettings.maxSurge is not set"


def _count_ignored(pool: Resource) -> Iterator[str]:
    if pool.at("enableAutoScaling") is True and "count" not in pool.ignore_changes:
        yield "count is not among ignore_changes, so that `pulumi up` undoes the autoscaler"


def _pool_name(pool: Resource) -> Iterator[str]:
    name = pool.at("agentPoolName")
    # An update's outputs have the name under `name`.
    name = pool.at("name") if name is None else name
    if name is not UNKNOWN and not re.fullmatch(r"[a-z][a-z0-9]{0,11}", text(name)):
        yield f"agentPoolName is {shown(name)}"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="aks-pool-autoscaling", types=(CLUSTER, POOL),
        description="Every pool scales by itself between two bounds",
        severity=Severity.MEDIUM,
        remediation="Set enable_auto_scaling=True with min_count and max_count",
        sources=(psrule("Azure.AKS.AutoScaling"), aks("cluster-autoscaler")),
        check=_each(_autoscaling),
    ),
    ResourceRule(
        name="aks-pool-most-pods", types=(CLUSTER, POOL),
        description="A node takes at least 50 pods",
        severity=Severity.LOW,
        remediation="Set max_pods to 50 or more; it cannot be changed later",
        sources=(psrule("Azure.AKS.NodeMinPods"), checkov("CKV_AZURE_168")),
        check=_each(_most_pods),
    ),
    ResourceRule(
        name="aks-pool-ephemeral-disk", types=(CLUSTER, POOL),
        description="Nodes keep their operating system on the VM's own disk",
        severity=Severity.LOW,
        remediation='Set os_disk_type="Ephemeral", with a size that fits the VM',
        sources=(psrule("Azure.AKS.EphemeralOSDisk"), checkov("CKV_AZURE_226")),
        check=_each(_ephemeral_disk),
    ),
    ResourceRule(
        name="aks-pool-not-burstable", types=(CLUSTER, POOL),
        description="No pool is of burstable VMs, which throttle under load",
        severity=Severity.MEDIUM,
        remediation="Take a size of the D, E, F or N series",
        sources=(aks("use-system-pools"),),
        check=_each(_not_burstable),
    ),
    ResourceRule(
        name="aks-pool-living-system", types=(CLUSTER, POOL),
        description="Nodes run a system that still gets patches",
        severity=Severity.HIGH,
        remediation='Set os_sku="AzureLinux3"; images of Azure Linux 2 are gone since March 2026',
        sources=(aks("use-azure-linux"),),
        check=_each(_living_system),
    ),
    ResourceRule(
        name="aks-pool-zones", types=(CLUSTER, POOL),
        description="In production nodes stand in at least two zones",
        severity=Severity.MEDIUM,
        remediation="Set cluster.zones",
        sources=(psrule("Azure.AKS.AvailabilityZone"),),
        check=_each(_zones), level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-pool-no-public-address", types=(CLUSTER, POOL),
        description="Nodes have no public addresses",
        severity=Severity.HIGH,
        remediation="Remove enable_node_public_ip",
        sources=(checkov("CKV_AZURE_143"),),
        check=_each(_no_public_address),
    ),
    ResourceRule(
        name="aks-system-pool-size", types=(CLUSTER, POOL),
        description="In production the system pool has three nodes or more",
        severity=Severity.MEDIUM,
        remediation="Set cluster.system_pool.min_nodes to 3",
        sources=(psrule("Azure.AKS.MinNodeCount"), aks("use-system-pools")),
        check=_system_pool(_three_nodes), level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="aks-system-pool-taint", types=(CLUSTER, POOL),
        description="Nothing but Kubernetes' own pods runs on the system pool",
        severity=Severity.MEDIUM,
        remediation=f"Add the taint {SYSTEM_TAINT}",
        sources=(aks("use-system-pools"),),
        check=_system_pool(_system_taint),
    ),
    ResourceRule(
        name="aks-gpu-pool-taint", types=(CLUSTER, POOL),
        description="Pods without a GPU stay off the nodes that cost most",
        severity=Severity.MEDIUM,
        remediation=f"Add the taint {GPU_TAINT_KEY}=present:NoSchedule when the pool is made",
        sources=(aks("use-nvidia-gpu"),),
        check=_each(_gpu_taint),
    ),
    ResourceRule(
        name="aks-spot-pool", types=(POOL,),
        description="A pool of spot VMs is declared as AKS will have it",
        severity=Severity.MEDIUM,
        remediation="Declare AKS's own taint and eviction policy Delete, and no surge",
        sources=(aks("spot-node-pool"),),
        check=_each(_spot),
    ),
    ResourceRule(
        name="aks-pool-surge", types=(POOL,),
        description="Upgrades add nodes before they take any away",
        severity=Severity.LOW,
        remediation="Set upgrade_settings with max_surge",
        sources=(aks("upgrade-aks-cluster"),),
        check=_surge,
    ),
    ResourceRule(
        name="aks-pool-count-ignored", types=(POOL,),
        description="The number of nodes is the autoscaler's alone",
        severity=Severity.HIGH,
        remediation='Add ignore_changes=["count"] to the pool\'s options',
        sources=(issue("pulumi/pulumi-azure", 780),),
        check=_count_ignored,
    ),
    ResourceRule(
        name="aks-pool-name", types=(POOL,),
        description="A pool's name is one that AKS takes",
        severity=Severity.MEDIUM,
        remediation="Set agent_pool_name: a letter, then at most 11 letters and digits",
        sources=(psrule("Azure.AKS.UserPoolNaming"),),
        check=_pool_name,
    ),
)  # fmt: skip
