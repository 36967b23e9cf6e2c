"""The regions, and what Azure makes once in each of them."""

from __future__ import annotations

from collections.abc import Iterator

from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok
from infra.doctor.needs import Needs
from infra.settings import Settings

REGIONS = "az account list-locations --query '[].name' --output tsv"


def look_at_regions(settings: Settings, needs: Needs, azure: Azure) -> Iterator[Finding]:
    """Whether the regions are open to the subscription, and have zones where zones are wanted."""
    regions = azure.regions()
    wants_zones = any(pool.zones for pool in needs.pools)
    for name in needs.regions:
        region = regions.get(name)
        if region is None:
            yield failed(name, "is no region of this subscription", f"{REGIONS}, then set location")
        elif name == settings.location and wants_zones and not region.has_zones:
            yield failed(
                name,
                f"{region.display_name} has no availability zones",
                "set cluster.zones to [], or choose another region",
            )
        else:
            zones = "availability zones" if region.has_zones else "no availability zones"
            pair = f", paired with {region.pair}" if region.pair else ", without a paired region"
            yield ok(name, f"{region.display_name}: {zones}{pair}")
    if "Microsoft.Network/networkWatchers/flowLogs" in needs.counts:
        yield _network_watcher(settings.location, azure)


def _network_watcher(region: str, azure: Azure) -> Finding:
    """Flow logs belong to the region's network watcher, which the stack does not make."""
    if azure.has_network_watcher(region):
        return ok("network watcher", f"NetworkWatcher_{region} is there")
    return failed(
        "network watcher",
        f"flow logs need NetworkWatcherRG/NetworkWatcher_{region}",
        f"az network watcher configure -g NetworkWatcherRG -l {region} --enabled true",
    )
