"""A local Azure Resource Manager: real HTTP, the real JSON of each interface, and faults at will.

Shapes are those of learn.microsoft.com/rest/api, api versions as the clients ask for them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from azure.core.credentials import AccessToken
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from infra.doctor.arm import SCOPE, Arm
from infra.doctor.azure import Azure
from tests.infra.conftest import SUBSCRIPTION, TENANT
from tests.local_server import address_of, served

REGION = "westeurope"
PROVIDERS = (
    "AlertsManagement,Authorization,Compute,Consumption,ContainerRegistry,ContainerService,Dashboard,"
    "Insights,KeyVault,ManagedIdentity,Monitor,Network,OperationalInsights,OperationsManagement,"
    "PolicyInsights,Resources,Security,Storage"
)
FAMILIES = {
    "Standard_D2ds_v5": ("standardDDSv5Family", 2, 75),
    "Standard_D4ds_v5": ("standardDDSv5Family", 4, 150),
    "Standard_D8ds_v5": ("standardDDSv5Family", 8, 300),
    "Standard_D2ads_v5": ("standardDADSv5Family", 2, 75),
    "Standard_NC4as_T4_v3": ("Standard NCASv3_T4 Family", 4, 176),
}


@dataclass(frozen=True)
class Fault:
    """An answer instead of the real one."""

    status: int
    code: str
    message: str = "The request could not be served."
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 10_000


@dataclass
class World:
    """What the subscription has; a test changes what it is about."""

    state: str = "Enabled"
    tenant: str = TENANT
    providers: dict[str, str] = field(
        default_factory=lambda: {f"Microsoft.{name}": "Registered" for name in PROVIDERS.split(",")}
    )
    actions: list[str] = field(default_factory=lambda: ["*"])
    not_actions: list[str] = field(default_factory=list)
    groups: set[str] = field(default_factory=lambda: {"rg-dns", "rg-hub", "NetworkWatcherRG"})
    zones: dict[str, list[str]] = field(default_factory=dict)
    restrictions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    missing_sizes: set[str] = field(default_factory=set)
    cores: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {
            "cores": (10, 500),
            "lowPriorityCores": (0, 100),
            "standardDDSv5Family": (10, 300),
            "standardDADSv5Family": (0, 100),
            "Standard NCASv3_T4 Family": (0, 100),
        }
    )
    addresses: tuple[int, int] = (3, 20)
    versions: list[dict[str, Any]] = field(
        default_factory=lambda: [
            version("1.34", "AKSLongTermSupport"),
            version("1.35", "KubernetesOfficial", "AKSLongTermSupport"),
            version("1.36", "KubernetesOfficial"),
            {**version("1.37", "KubernetesOfficial"), "isPreview": True},
        ]
    )
    pools: list[dict[str, Any]] | None = None
    own: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    deleted_vaults: set[str] = field(default_factory=set)
    name_servers: list[str] | None = None
    watcher: bool = True
    page_size: int = 3
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, part_of_path: str, fault: Fault) -> None:
        """Answer so wherever the path matches."""
        self.faults[part_of_path] = fault


def version(name: str, *plans: str) -> dict[str, Any]:
    return {
        "version": name,
        "isPreview": None,
        "capabilities": {"supportPlan": list(plans)},
        "patchVersions": {f"{name}.1": {"upgrades": []}},
    }


def running_pool(name: str, count: int, vm_size: str, *, spot: bool = False) -> dict[str, Any]:
    """A pool of a cluster that is there; AKS names no priority where it is the regular one."""
    return {
        "name": name,
        "count": count,
        "vmSize": vm_size,
        "type": "VirtualMachineScaleSets",
        **({"scaleSetPriority": "Spot"} if spot else {}),
    }


def token(tenant: str = TENANT) -> str:
    """A token as Entra makes them, less its signature."""
    claims = {"aud": "https://management.azure.com", "tid": tenant, "upn": "ada@example.net"}
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{middle}.c2VjcmV0LXNpZ25hdHVyZQ"


class StaticCredential:
    def __init__(self, text: str) -> None:
        self.text = text

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (SCOPE,)
        return AccessToken(self.text, 4102444800)


class OverHttp(ARMChallengeAuthenticationPolicy):
    """Azure's own policy, which puts no token on plain HTTP but here."""

    def __init__(self, credential: Any) -> None:
        super().__init__(credential, SCOPE)

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False
        super().on_request(request)


@dataclass
class ResourceManager:
    world: World
    url: str

    def azure(self, *, tenant: str = TENANT) -> Azure:
        return Azure(SUBSCRIPTION, Arm(StaticCredential(token(tenant)), self.url, OverHttp))


@contextlib.contextmanager
def resource_manager() -> Iterator[ResourceManager]:
    """A server on a port of its own."""
    world = World()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world))
    server.daemon_threads = True
    with served(server):
        yield ResourceManager(world, address_of(server))


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET", None)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._answer("POST", json.loads(self.rfile.read(length) or b"{}"))

        def _answer(self, method: str, body: Any) -> None:
            split = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(split.query).items()}
            world.asked.append((method, split.path))
            if not (self.headers.get("Authorization") or "").startswith("Bearer "):
                self._send(401, _error("AuthenticationFailed", "No token."), {})
                return
            if "api-version" not in query:
                self._send(400, _error("MissingApiVersionParameter", "…"), {})
                return
            for pattern, fault in world.faults.items():
                if re.search(pattern, split.path, re.IGNORECASE) and fault.times > 0:
                    world.faults[pattern] = Fault(
                        fault.status, fault.code, fault.message, fault.headers, fault.times - 1
                    )
                    self._send(fault.status, _error(fault.code, fault.message), fault.headers)
                    return
            status, answer = _route(world, method, split.path, query, body)
            self._send(status, self._paged(answer, split.path, query), {})

        def _paged(self, answer: Any, path: str, query: dict[str, str]) -> Any:
            """A list in pages, with a link to the next one."""
            values = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(values, list):
                return answer
            start = int(query.get("$skiptoken", 0))
            end = start + world.page_size
            page = {"value": values[start:end]}
            if end < len(values):
                host = self.headers["Host"]
                page["nextLink"] = (
                    f"http://{host}{path}?api-version={query['api-version']}&$skiptoken={end}"
                )
            return page

        def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _route(
    world: World, method: str, path: str, query: dict[str, str], body: Any
) -> tuple[int, Any]:
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    if not path.lower().startswith(subscription):
        return 404, _error("SubscriptionNotFound", "The subscription could not be found.")
    rest = path[len(subscription) :].lower()
    if rest == "":
        return 200, {
            "id": subscription,
            "subscriptionId": SUBSCRIPTION,
            "tenantId": world.tenant,
            "displayName": "Machine learning",
            "state": world.state,
            "subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
        }
    if rest == "/locations":
        return 200, {"value": [_location(REGION, "northeurope"), _location("northeurope", REGION)]}
    if rest == "/providers":
        return 200, {
            "value": [
                {
                    "id": f"{subscription}/providers/{name}",
                    "namespace": name,
                    "resourceTypes": [],
                    "registrationState": state,
                    "registrationPolicy": "RegistrationRequired",
                }
                for name, state in world.providers.items()
            ]
        }
    if rest.endswith("/providers/microsoft.authorization/permissions"):
        group = re.match(r"/resourcegroups/([^/]+)/", rest)
        if group and group[1] not in {name.lower() for name in world.groups}:
            return 404, _error("ResourceGroupNotFound", "Resource group could not be found.")
        return 200, {"value": [{"actions": world.actions, "notActions": world.not_actions}]}
    return _of_providers(world, method, rest, query, body)


def _location(name: str, pair: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": name.title(),
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended",
            "pairedRegion": [
                {"name": pair, "id": f"/subscriptions/{SUBSCRIPTION}/locations/{pair}"}
            ],
        },
        "availabilityZoneMappings": [
            {"logicalZone": zone, "physicalZone": f"{name}-az{zone}"} for zone in "123"
        ],
    }


def _of_providers(
    world: World, method: str, rest: str, query: dict[str, str], body: Any
) -> tuple[int, Any]:
    if rest == "/providers/microsoft.compute/skus":
        assert "$skiptoken" in query or query["$filter"] == f"location eq '{REGION}'"
        return 200, {"value": [{"resourceType": "disks", "name": "Premium_LRS"}, *_skus(world)]}
    if rest == f"/providers/microsoft.compute/locations/{REGION}/usages":
        return 200, {"value": [_usage(name, *counts) for name, counts in world.cores.items()]}
    if rest == f"/providers/microsoft.network/locations/{REGION}/usages":
        names = ("VirtualNetworks", "NetworkSecurityGroups", "NatGateways", "LoadBalancers")
        return 200, {
            "value": [
                *(_usage(name, 1, 100) for name in names),
                _usage("IPv4StandardSkuPublicIpAddresses", *world.addresses),
            ]
        }
    if rest.endswith("/kubernetesversions") and REGION in rest:
        return 200, {"values": world.versions}
    if "/managedclusters/" in rest:
        if world.pools is None:
            return 404, _error("ResourceNotFound", "The Resource was not found.")
        return 200, {"location": REGION, "properties": {"agentPoolProfiles": world.pools}}
    if rest.endswith("/checknameavailability"):
        assert method == "POST"
        if body["name"] in world.taken:
            return 200, {
                "nameAvailable": False,
                "reason": "AlreadyExists",
                "message": f"The name {body['name']} is already in use.",
            }
        return 200, {"nameAvailable": True}
    if "/deletedvaults/" in rest:
        name = rest.rpartition("/")[2]
        if name in world.deleted_vaults:
            return 200, {"name": name, "properties": {"location": REGION}}
        return 404, _error("DeletedVaultNotFound", "The deleted vault does not exist.")
    if "/dnszones/" in rest:
        if world.name_servers is None:
            return 404, _error("ResourceNotFound", "The Resource was not found.")
        return 200, {"location": "global", "properties": {"nameServers": world.name_servers}}
    if "/networkwatchers/" in rest and world.watcher:
        return 200, {"name": rest.rpartition("/")[2], "location": REGION}
    if rest.rpartition("/")[2] in world.own:
        return 200, {"name": rest.rpartition("/")[2], "location": REGION, "properties": {}}
    return 404, _error("ResourceNotFound", "The Resource was not found.")


def _usage(name: str, used: int, limit: int) -> dict[str, Any]:
    return {
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": f"{name} vCPUs"},
    }


def _skus(world: World) -> Iterator[dict[str, Any]]:
    for name, (family, cpus, disk) in FAMILIES.items():
        if name in world.missing_sizes:
            continue
        yield {
            "resourceType": "virtualMachines",
            "name": name,
            "tier": "Standard",
            "size": name.removeprefix("Standard_"),
            "family": family,
            "locations": [REGION],
            "locationInfo": [{"location": REGION, "zones": world.zones.get(name, ["1", "2", "3"])}],
            "capabilities": [
                {"name": "vCPUs", "value": str(cpus)},
                {"name": "EphemeralOSDiskSupported", "value": "True"},
                {"name": "CachedDiskBytes", "value": str(disk * 2**30)},
                {"name": "MaxResourceVolumeMB", "value": str(disk * 1024)},
            ],
            "restrictions": world.restrictions.get(name, []),
        }


def zone_restriction(*zones: str) -> dict[str, Any]:
    return {
        "type": "Zone",
        "values": [REGION],
        "restrictionInfo": {"locations": [REGION], "zones": list(zones)},
        "reasonCode": "NotAvailableForSubscription",
    }


def location_restriction() -> dict[str, Any]:
    return {
        "type": "Location",
        "values": [REGION],
        "restrictionInfo": {"locations": [REGION]},
        "reasonCode": "NotAvailableForSubscription",
    }
