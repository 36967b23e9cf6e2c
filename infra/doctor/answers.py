"""Azure's answers in the doctor's own words."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGN_IN = "az login"


class NotSignedIn(Exception):
    """There is no token for Azure; the message says why, in one line.

    Attributes:
        remedy: what helps.
    """

    def __init__(self, why: str, remedy: str = SIGN_IN) -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(frozen=True)
class Identity:
    """Who is signed in, as the token says.

    Attributes:
        name: what people call it: a user principal name or an application's id.
        tenant_id: the token's tenant.
    """

    name: str
    tenant_id: str | None


@dataclass(frozen=True)
class Subscription:
    """A subscription: its name, state (``Enabled``) and tenant."""

    name: str
    state: str
    tenant_id: str | None


@dataclass(frozen=True)
class Region:
    """A region: its name for people, whether it has zones, its pair."""

    display_name: str
    has_zones: bool
    pair: str | None


@dataclass(frozen=True)
class Grant:
    """What one role gives: patterns of actions, less others."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...]

    def allows(self, action: str) -> bool:
        """Whether the action is among them."""
        return _matches(self.actions, action) and not _matches(self.not_actions, action)


@dataclass(frozen=True)
class Sku:
    """A VM size as one region offers it.

    Attributes:
        cpus: virtual CPUs; None where Azure does not say.
        family: name of its quota, such as ``standardDDSv5Family``.
        zones: in which it is offered to this subscription.
        barred: why it is not offered at all; None where it is.
        os_disk_gb: largest ephemeral OS disk; 0 for none.
    """

    cpus: int | None
    family: str
    zones: frozenset[str]
    barred: str | None
    os_disk_gb: int


@dataclass(frozen=True)
class Usage:
    """A quota: its name in Azure, the one for people, what is used of it, and its limit."""

    name: str
    display_name: str
    used: int
    limit: int


@dataclass(frozen=True)
class RunningPool:
    """A pool of a cluster that is there: its nodes' size, whether they are spot ones, their number."""

    vm_size: str
    spot: bool
    nodes: int


@dataclass(frozen=True)
class KubernetesVersion:
    """A minor version that AKS offers."""

    version: str
    is_preview: bool
    plans: tuple[str, ...]


def taken(answer: Any) -> str | None:
    """Why a name cannot be had; None where it can."""
    if answer.name_available:
        return None
    return first_line(answer.message or str(answer.reason or "it is taken"))


def region_of(location: Any) -> Region:
    """A location as Azure lists it."""
    pairs = (location.metadata and location.metadata.paired_region) or ()
    return Region(
        location.display_name or location.name,
        bool(location.availability_zone_mappings),
        pairs[0].name if pairs else None,
    )


def sku_of(sku: Any, region: str) -> Sku:
    """A VM size as Azure lists it for a region."""
    offered = {
        zone
        for info in sku.location_info or ()
        if info.location.lower() == region
        for zone in info.zones or ()
    }
    barred = None
    for restriction in sku.restrictions or ():
        if plain(restriction.type) == "Location":
            barred = str(plain(restriction.reason_code))
        elif plain(restriction.type) == "Zone" and restriction.restriction_info:
            offered -= set(restriction.restriction_info.zones or ())
    capabilities = {each.name: each.value for each in sku.capabilities or ()}
    return Sku(
        cpus=int(capabilities["vCPUs"]) if "vCPUs" in capabilities else None,
        family=sku.family or "",
        zones=frozenset(offered),
        barred=barred,
        os_disk_gb=_os_disk_gb(capabilities),
    )


def _os_disk_gb(capabilities: Mapping[str, str]) -> int:
    """The larger of cache and temporary disk, on either of which AKS puts an ephemeral OS disk."""
    if capabilities.get("EphemeralOSDiskSupported") != "True":
        return 0
    cache = int(capabilities.get("CachedDiskBytes", 0)) // 2**30
    temporary = int(capabilities.get("MaxResourceVolumeMB", 0)) // 1024
    return max(cache, temporary)


def plain(value: Any) -> Any:
    """An enumeration's value, which newer services may send as a text."""
    return getattr(value, "value", value)


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    """Azure's patterns: ``*`` stands for anything, capitals do not matter."""
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns
    )


def identity_of(token: str) -> Identity:
    """What a token says of its owner; it is not verified, which is Azure's part."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, binascii.Error, ValueError):
        return Identity("somebody", None)
    name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "somebody"
    return Identity(first_line(str(name)), claims.get("tid"))


def first_line(text: str | None) -> str:
    """The first line of a text of Azure, cut to a length."""
    lines = (text or "").strip().splitlines()
    return lines[0][:300] if lines else "no reason given"
