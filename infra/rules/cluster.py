"""Rules of the API server, the tier and the node pools."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from infra.mistakes import Mistake
from infra.rules.choices import pools_of
from infra.vm_sizes import VM_SIZES

if TYPE_CHECKING:
    from infra.settings import Settings

Mistakes = Iterator[Mistake]

SMALLEST_PREFIX = 8
"""No organisation's network is wider; 0.0.0.0/1 and 128.0.0.0/1 together are everybody."""


def api_server(settings: Settings) -> Mistakes:
    """One of the two ways to shut the API server, and one of them in production."""
    cluster = settings.cluster
    key = "cluster.authorized_ip_ranges"
    if cluster.private and cluster.authorized_ip_ranges:
        yield Mistake(
            key, "is set for a private cluster", "one of the two: private, or ranges",
            ("cluster.private",),
        )  # fmt: skip
    everybody = [
        ranges
        for ranges in cluster.authorized_ip_ranges
        if ipaddress.IPv4Network(ranges).prefixlen < SMALLEST_PREFIX
    ]
    if settings.environment != "prod" or not settings.has_platform:
        return
    if everybody:
        yield Mistake(
            key, f"{everybody[0]} lets everybody reach the API server",
            "your own networks in prod, /8 at the widest",
            ("environment",),
        )  # fmt: skip
    if not cluster.private and not cluster.authorized_ip_ranges:
        yield Mistake(
            "cluster.private", "false, and no authorized_ip_ranges either",
            "true, or cluster.authorized_ip_ranges in prod", ("environment", key),
        )  # fmt: skip


def tier(settings: Settings) -> Mistakes:
    """What the tier offers, and zones named once."""
    cluster = settings.cluster
    if settings.environment == "prod" and settings.has_platform and cluster.tier == "Free":
        yield Mistake(
            "cluster.tier", "Free has no uptime agreement", "Standard or Premium in prod",
            ("environment",),
        )  # fmt: skip
    if cluster.cost_analysis and cluster.tier == "Free":
        yield Mistake(
            "cluster.cost_analysis", "true needs a paid tier",
            "false, or cluster.tier: Standard or Premium", ("cluster.tier",),
        )  # fmt: skip
    if len(set(cluster.zones)) != len(cluster.zones):
        yield Mistake("cluster.zones", "names a zone twice", "each of 1, 2, 3 at most once")


def pools_are_sound(settings: Settings) -> Mistakes:
    """Bounds, disks and names of the pools."""
    pools = pools_of(settings)
    for name, pool in pools:
        size = VM_SIZES[pool.vm_size]
        path = f"cluster.{name}"
        if pool.min_nodes > pool.max_nodes:
            yield Mistake(
                f"{path}.min_nodes", f"{pool.min_nodes} is over max_nodes",
                f"at most {path}.max_nodes, {pool.max_nodes}", (f"{path}.max_nodes",),
            )  # fmt: skip
        if pool.os_disk_gb > size.local_disk_gib:
            yield Mistake(
                f"{path}.os_disk_gb", f"{pool.os_disk_gb} does not fit the VM's own disk",
                f"at most {size.local_disk_gib} with {pool.vm_size}", (f"{path}.vm_size",),
            )  # fmt: skip
        if name != "gpu_pool" and size.gpus:
            yield Mistake(
                f"{path}.vm_size", f"{pool.vm_size} has GPUs, which nothing there uses",
                "a size without GPUs; GPUs belong to cluster.gpu_pool",
            )  # fmt: skip
    for (one, first), (other, second) in combinations(pools, 2):
        if getattr(first, "name") == getattr(second, "name"):  # noqa: B009 - each pool has its own
            yield Mistake(
                f"cluster.{other}.name", "is another pool's name too",
                f"a name other than cluster.{one}.name", (f"cluster.{one}.name",),
            )  # fmt: skip


def gpu_pool(settings: Settings) -> Mistakes:
    """GPUs, and the ways to share or rent them."""
    pool = settings.cluster.gpu_pool
    if pool is None:
        return
    size = VM_SIZES[pool.vm_size]
    path = "cluster.gpu_pool"
    if not size.gpus:
        sizes = ", ".join(sorted(name for name, size in VM_SIZES.items() if size.gpus))
        yield Mistake(f"{path}.vm_size", f"{pool.vm_size} has no GPU", sizes)
    elif pool.mig_profile and not size.can_partition:
        yield Mistake(
            f"{path}.mig_profile", f"{pool.vm_size} cannot be cut into instances",
            "null, or a size with A100 or H100 GPUs", (f"{path}.vm_size",),
        )  # fmt: skip
    if pool.mig_profile and pool.time_slices > 1:
        yield Mistake(
            f"{path}.time_slices", "together with mig_profile",
            "one of the two: instances, or turns", (f"{path}.mig_profile",),
        )  # fmt: skip
    if pool.spot_max_price_usd != -1 and not pool.spot:
        yield Mistake(
            f"{path}.spot_max_price_usd", "is set for a pool without spot VMs", "spot: true",
            (f"{path}.spot",),
        )  # fmt: skip
    if pool.spot_max_price_usd != -1 and pool.spot_max_price_usd <= 0:
        yield Mistake(
            f"{path}.spot_max_price_usd", f"{pool.spot_max_price_usd} is no price",
            "more than 0, or -1 for the usual price",
        )  # fmt: skip
