"""Whether the region offers the pools' VM sizes, in all of their zones."""

from __future__ import annotations

from collections.abc import Iterator

from infra.doctor.answers import Sku
from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok, warning
from infra.doctor.needs import Needs
from infra.planning.node_pools import NodePool
from infra.vm_sizes import VM_SIZES


def look_at_vm_sizes(needs: Needs, region: str, azure: Azure) -> Iterator[Finding]:
    """One finding a pool."""
    skus = azure.skus(region)
    for pool in needs.pools:
        yield _size(pool, skus.get(pool.vm_size), region)


def _size(pool: NodePool, sku: Sku | None, region: str) -> Finding:
    subject = f"{pool.name}: {pool.vm_size}"
    show = f"az vm list-skus --location {region} --size {pool.vm_size} --all --output table"
    if sku is None:
        return failed(subject, f"is not offered in {region}", f"{show}, then another vm_size")
    if sku.barred is not None:
        return failed(
            subject,
            f"is not open to this subscription in {region} ({sku.barred})",
            f"ask in the portal (Help + support, quotas), or choose another vm_size: {show}",
        )
    lacking = sorted(set(pool.zones) - sku.zones)
    if lacking:
        offered = ", ".join(sorted(sku.zones)) or "none"
        return failed(
            subject,
            f"is not offered in zone {' and '.join(lacking)}; zones: {offered}",
            f"take the zone out of cluster.zones, or choose another vm_size: {show}",
        )
    if sku.os_disk_gb < pool.os_disk_gb:
        return failed(
            subject,
            f"its own disk holds {sku.os_disk_gb} GB, the ephemeral OS disk takes "
            f"{pool.os_disk_gb}",
            "lower the pool's os_disk_gb, or choose a larger vm_size",
        )
    known = VM_SIZES.get(pool.vm_size)
    if known is not None and sku.cpus not in (None, known.cpus):
        return warning(
            subject,
            f"has {sku.cpus} CPUs by Azure's list, {known.cpus} by infra/vm_sizes.py",
            "correct infra/vm_sizes.py: what fits on a node is reckoned with it",
        )
    where = f" in zones {', '.join(pool.zones)}" if pool.zones else ""
    return ok(subject, f"is offered{where}")
