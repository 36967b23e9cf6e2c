"""Whether the subscription's quotas leave room for the stack, at its fewest and its most nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.doctor.answers import RunningPool, Sku, Usage
from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, Verdict, failed, ok, unknown, warning
from infra.doctor.needs import Needs
from infra.vm_sizes import VM_SIZES

ALL_CORES = "cores"
SPOT_CORES = "lowprioritycores"
"""Spot nodes count against this quota alone (learn.microsoft.com/azure/quotas/spot-quota)."""
NETWORK_QUOTAS: Mapping[str, tuple[str, ...]] = {
    "Microsoft.Network/publicIPAddresses": (
        "ipv4standardskupublicipaddresses",
        "standardskupublicipaddresses",
        "publicipaddresses",
    ),
    "Microsoft.Network/natGateways": ("natgateways",),
    "Microsoft.Network/virtualNetworks": ("virtualnetworks",),
    "Microsoft.Network/networkSecurityGroups": ("networksecuritygroups",),
}
"""Names of quotas by what counts against them; the first that a region has is taken."""
LOAD_BALANCERS = ("standardskuloadbalancers", "loadbalancers")
AKS_LOAD_BALANCERS = 1
"""The gateway's; AKS makes it, not the program."""
_KNOWN_SIZES = {name.lower(): size for name, size in VM_SIZES.items()}


@dataclass(frozen=True)
class Demand:
    """CPUs that a stack takes of one quota, beyond those that it has already.

    Attributes:
        fewest: with all pools at their fewest nodes.
        most: with all pools at their most.
        surge: further ones of the largest pool's upgrade.
    """

    fewest: int = 0
    most: int = 0
    surge: int = 0

    def plus(self, fewest: int, most: int, surge: int) -> Demand:
        """With another pool; AKS upgrades one pool after another."""
        return Demand(self.fewest + fewest, self.most + most, max(self.surge, surge))


def look_at_core_quotas(needs: Needs, region: str, azure: Azure) -> Iterator[Finding]:
    """CPU quotas of each VM family, of the region, and of spot VMs."""
    running: Mapping[str, RunningPool] | None = (
        azure.pools_of(needs.cluster.resource_group, needs.cluster.name) if needs.cluster else {}
    )
    usages = azure.compute_usages(region)
    demands, without = demands_of(needs, azure.skus(region), running or {})
    for size in without:
        yield unknown(size, f"Azure does not list it in {region}, and so no quota of it")
    for quota, demand in demands.items():
        usage = usages.get(quota)
        if usage is None:
            yield unknown(quota, f"{region} lists no quota of this name")
        else:
            yield _room(quota, usage, demand, region, azure.subscription_id)


def demands_of(
    needs: Needs, skus: Mapping[str, Sku], running: Mapping[str, RunningPool]
) -> tuple[dict[str, Demand], tuple[str, ...]]:
    """What the pools take of each quota, by its name in lower case; sizes without a known family.

    A pool that is there leaves its own quotas what its nodes take of them, whatever their size:
    they stay, or they go before those that replace them come (infra/azure/node_pools.py; of the
    system pool nobody changes the size under its old name, docs/operations.md).
    """
    # Azure hands back a size as whoever made the pool wrote it.
    offered = {name.lower(): sku for name, sku in skus.items()}
    demands: dict[str, Demand] = {}
    without: list[str] = []
    for pool in needs.pools:
        sku = offered.get(pool.vm_size.lower())
        if sku is None or not sku.family:
            without.append(pool.vm_size)
        had = running.get(pool.name)
        has = _takes(had.vm_size, had.spot, offered) if had else {}
        for quota, cpus in _takes(pool.vm_size, pool.spot, offered).items():
            have = has.get(quota, 0) * had.nodes if had else 0
            demands[quota] = demands.get(quota, Demand()).plus(
                max(cpus * pool.fewest - have, 0),
                max(cpus * pool.most - have, 0),
                cpus * pool.surge,
            )
    return demands, tuple(dict.fromkeys(without))


def _takes(vm_size: str, spot: bool, offered: Mapping[str, Sku]) -> dict[str, int]:
    """CPUs that a node takes of each quota that it counts against."""
    sku = offered.get(vm_size.lower())
    known = _KNOWN_SIZES.get(vm_size.lower())
    cpus = (sku.cpus if sku else None) or (known.cpus if known else 0)
    family = [sku.family.lower()] if sku and sku.family else []
    return dict.fromkeys([SPOT_CORES] if spot else [*family, ALL_CORES], cpus)


def _room(quota: str, usage: Usage, demand: Demand, region: str, subscription: str) -> Finding:
    free = usage.limit - usage.used
    all_of_it = demand.most + demand.surge
    shown = f"{usage.used} of {usage.limit} used; the stack takes {demand.fewest} more at least"
    shown += f", {demand.most} at most"
    shown += f", {all_of_it} while a full pool is upgraded" if demand.surge else ""
    kind = "lowPriority" if quota == SPOT_CORES else "dedicated"

    def raise_to(limit: int) -> str:
        return (
            f"az quota update --resource-name '{usage.name}' --resource-type {kind} "
            f"--limit-object value={limit} limit-object-type=LimitValue --scope /subscriptions/"
            f"{subscription}/providers/Microsoft.Compute/locations/{region}"
        )

    if demand.fewest > free:
        return failed(usage.display_name, shown, raise_to(usage.used + all_of_it))
    if all_of_it > free:
        return warning(usage.display_name, shown, raise_to(usage.used + all_of_it))
    return ok(usage.display_name, shown)


def look_at_network_quotas(needs: Needs, region: str, azure: Azure) -> Iterator[Finding]:
    """Addresses, gateways, networks and load balancers of a stack that is not there yet."""
    if (
        needs.cluster
        and azure.pools_of(needs.cluster.resource_group, needs.cluster.name) is not None
    ):
        # Which of the plan's addresses are there already, the usages do not say.
        yield Finding(
            "network",
            Verdict.SKIPPED,
            "not looked at: the cluster is there; addresses and gateways that a change adds are "
            "not counted",
        )
        return
    usages = azure.network_usages(region)
    wanted = [(names, needs.counts.get(type_, 0)) for type_, names in NETWORK_QUOTAS.items()]
    wanted.append((LOAD_BALANCERS, AKS_LOAD_BALANCERS if needs.cluster else 0))
    for names, number in wanted:
        usage = next((usages[name] for name in names if name in usages), None)
        if number and usage is None:
            yield unknown(names[-1], f"{region} lists no quota of this name")
        elif number and usage:
            shown = f"{usage.used} of {usage.limit} used; the stack takes {number}"
            if number > usage.limit - usage.used:
                yield failed(
                    usage.display_name,
                    shown,
                    "ask in the portal (Subscriptions, Usage + quotas, Networking) for "
                    f"{usage.used + number}",
                )
            else:
                yield ok(usage.display_name, shown)
