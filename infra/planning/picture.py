"""The architecture as the plan has it: boxes in boxes, and the arrows between them.

Nothing is drawn that the program does not declare, and what it declares carries its own figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.planning.inputs import text_at, texts_at
from infra.planning.monitor import Recorded
from infra.planning.worth_showing import filled, shown_properties
from infra.recording import Recording
from infra.scheduling import POOL_LABEL

POD = "cpu {spec.template.spec.containers[0].resources.requests.cpu}"
NODE_POOL = ("{vmSize} × {minCount}–{maxCount}", "zones {availabilityZones}")
CLUSTER = (
    "Kubernetes {kubernetesVersion} · {sku.tier} tier",
    "{networkProfile.networkPlugin} {networkProfile.networkPluginMode} · "
    "{networkProfile.networkDataplane}",
)
SYSTEM_POOL = (
    "{agentPoolProfiles[0].vmSize} × {agentPoolProfiles[0].minCount}–"
    "{agentPoolProfiles[0].maxCount}",
    "zones {agentPoolProfiles[0].availabilityZones}",
)


@dataclass(frozen=True)
class Box:
    """A thing of the picture.

    Attributes:
        key: by which arrows name it.
        title: its first line.
        lines: what else it says.
        inside: boxes that it holds.
        across: whether these stand beside each other rather than below.
        look: ``frame`` holds others, ``part`` is a thing of the stack, ``outside`` is not.
    """

    key: str
    title: str = ""
    lines: tuple[str, ...] = ()
    inside: tuple[Box, ...] = ()
    across: bool = False
    look: str = "part"


@dataclass(frozen=True)
class Arrow:
    """What flows from one box to another, both by key."""

    start: str
    end: str
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """All boxes, in one, and the arrows between them."""

    page: Box
    arrows: tuple[Arrow, ...]


def picture(plan: Recording) -> Picture:
    """The picture of what a stack declares."""
    local = plan.of_type("index/container:Container")
    page = _local_page(plan, local) if local else _azure_page(plan)
    keys = set(_keys(page))
    way_in = _WAY_IN if "address" in keys else (Arrow("clients", "gateway", "HTTPS"),)
    to_services = (
        Arrow("clients" if key.startswith("container ") else "gateway", key)
        for key in sorted(keys)
        if key.startswith(("pods ", "container "))
    )
    arrows = (*way_in, *_USED, *to_services)
    return Picture(page, tuple(arrow for arrow in arrows if {arrow.start, arrow.end} <= keys))


_WAY_IN = (Arrow("clients", "address", "HTTPS"), Arrow("address", "gateway"))
_USED = (
    Arrow("cluster", "registry", "pulls"),
    Arrow("cluster", "vault", "mounts"),
    Arrow("cluster", "logs", "logs"),
    Arrow("cluster", "metrics", "metrics"),
)


def _azure_page(plan: Recording) -> Box:
    inside = (*_front(plan), *_network(plan), *_beside(plan))
    group = _first(plan, "resources:ResourceGroup", "{resourceGroupName}", "{location}")
    if group:
        title = f"Resource group {' · '.join(group)}"
        inside = (Box("group", title, inside=inside, across=True, look="frame"),)
    return Box("page", inside=(*_clients(plan), *inside), across=True, look="page")


def _clients(plan: Recording) -> Iterator[Box]:
    hosts = {
        host
        for route in plan.of_type("gateway.networking.k8s.io/v1:HTTPRoute")
        for host in texts_at(route, "spec", "hostnames")
    }
    if hosts:
        yield Box("clients", "Clients", tuple(sorted(hosts)), look="outside")


def _front(plan: Recording) -> Iterator[Box]:
    """What a request meets before the cluster."""
    for address in plan.of_type("network:PublicIPAddress"):
        if "gateway" in address.name:
            yield Box("address", "Public address", tuple(_guards(plan, address)))


def _guards(plan: Recording, address: Recorded) -> Iterator[str]:
    yield from _lines(address, ("zones {zones}",))
    if plan.of_type("network:DdosProtectionPlan"):
        yield "DDoS protection plan"
    elif filled("{ddosSettings.protectionMode}", address.inputs) == "Enabled":
        yield "DDoS protection of the address"
    firewall = _first(plan, "network:WebApplicationFirewallPolicy", "{policySettings.mode}")
    if firewall:
        yield f"web application firewall: {', '.join(firewall)}"


def _network(plan: Recording) -> Iterator[Box]:
    inside = (*_cluster(plan), *_outbound(plan))
    if not plan.of_type("containerservice:ManagedCluster"):
        yield from inside
        return
    addresses = _first(plan, "network:VirtualNetwork", "{addressSpace.addressPrefixes}")
    title = " ".join(("Virtual network", *(addresses or ("that was there before",))))
    yield Box("network", title, inside=inside, look="frame")


def _cluster(plan: Recording) -> Iterator[Box]:
    pools = tuple(_pools(plan))
    inside = (*_gateway(plan), *((Box("pools", inside=pools, look="page"),) if pools else ()))
    for cluster in plan.of_type("containerservice:ManagedCluster"):
        lines = list(_lines(cluster, CLUSTER))
        if cluster.inputs.get("disableLocalAccounts"):
            lines.append("sign-in by Entra only")
        name = filled("AKS {resourceName}", cluster.inputs) or "AKS"
        yield Box("cluster", name, tuple(lines), inside, across=True, look="frame")
        return
    if inside:
        title = "AKS cluster of the platform's stack"
        yield Box("cluster", title, inside=inside, across=True, look="frame")


def _gateway(plan: Recording) -> Iterator[Box]:
    lines = _first(
        plan,
        "gateway.envoyproxy.io/v1alpha1:EnvoyProxy",
        "{spec.provider.kubernetes.envoyHpa.minReplicas}–"
        "{spec.provider.kubernetes.envoyHpa.maxReplicas} Envoy pods",
    )
    if lines is None:
        return
    more = _first(
        plan,
        "gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy",
        "TLS {spec.tls.minVersion} or newer",
    )
    limits = _first(
        plan,
        "gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy",
        "{spec.rateLimit.local.rules[0].limit.requests} requests",
        "each {spec.rateLimit.local.rules[0].limit.unit} and address",
    )
    lower = (line.lower() for line in limits or ())
    yield Box("gateway", "Gateway", (*lines, *(more or ()), *lower))


def _pools(plan: Recording) -> Iterator[Box]:
    """Node pools with the pods that select them; pods whose pool is another stack's stand alone."""
    pods = {key: list(boxes) for key, boxes in _pods(plan).items()}
    for pool in plan.of_type("containerservice:AgentPool"):
        name = str(pool.inputs["agentPoolName"])
        yield Box(
            f"pool {name}",
            f"Node pool {name}",
            _lines(pool, NODE_POOL),
            tuple(pods.pop(text_at(pool, "nodeLabels", POOL_LABEL) or name, ())),
            look="frame",
        )
    for name, boxes in sorted(pods.items()):
        yield Box(f"pool {name}", f"Node pool {name}".strip(), (), tuple(boxes), look="frame")
    system = _first(plan, "containerservice:ManagedCluster", *SYSTEM_POOL)
    if system is not None:
        yield Box("pool system", "Node pool system", system, look="frame")


def _pods(plan: Recording) -> dict[str, list[Box]]:
    scaled = {
        text_at(each, "spec", "scaleTargetRef", "name"): shown_properties(each.type, each.inputs)[0]
        for type_ in ("autoscaling/v2:HorizontalPodAutoscaler", "keda.sh/v1alpha1:ScaledObject")
        for each in plan.of_type(type_)
    }
    found: dict[str, list[Box]] = {}
    for deployment in plan.of_type("apps/v1:Deployment"):
        name = text_at(deployment, "metadata", "name") or ""
        pool = text_at(deployment, "spec", "template", "spec", "nodeSelector", POOL_LABEL) or ""
        asks = _lines(
            deployment,
            (POD, 'GPUs {spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]}'),
        )
        lines = (*([scaled[name]] if name in scaled else ()), " · ".join(asks))
        found.setdefault(pool, []).append(Box(f"pods {name}", name, lines))
    return found


def _outbound(plan: Recording) -> Iterator[Box]:
    addresses = [a for a in plan.of_type("network:PublicIPAddress") if "outbound" in a.name]
    if plan.of_type("network:NatGateway"):
        number = f"{len(addresses)} address{'es' if len(addresses) != 1 else ''}"
        yield Box("outbound", f"NAT gateway · {number} out")


def _beside(plan: Recording) -> Iterator[Box]:
    """What the cluster uses."""
    alerts = sum(
        len(plan.of_type(type_))
        for type_ in (
            "monitor:MetricAlert",
            "monitor:ScheduledQueryRule",
            "monitor:ActivityLogAlert",
            "alertsmanagement:PrometheusRuleGroup",
        )
    )
    inside = (
        *_part(
            plan, "registry", "Container registry", "containerregistry:Registry",
            "{sku.name}", "public access: {publicNetworkAccess}",
        ),
        *_part(
            plan, "vault", "Key vault", "keyvault:Vault",
            "hashes of API keys", "public access: {properties.publicNetworkAccess}",
        ),
        *_part(
            plan, "logs", "Log Analytics", "operationalinsights:Workspace", "{retentionInDays} days"
        ),
        *_part(plan, "metrics", "Managed Prometheus", "monitor:AzureMonitorWorkspace"),
        *_part(plan, "dashboards", "Managed Grafana", "dashboard:Grafana", "{sku.name}"),
        *([Box("alerts", "Alerts", (f"{alerts} rules and groups",))] if alerts else ()),
    )  # fmt: skip
    if inside:
        yield Box("beside", inside=inside, look="page")


def _local_page(plan: Recording, containers: Iterable[Recorded]) -> Box:
    services = tuple(
        Box(f"container {c.name}", c.name.removesuffix("-container"), _lines(c, (
            "{image}", "port {ports[0].external}",
        )))
        for c in containers
        if c.inputs.get("ports")
    )  # fmt: skip
    network = _first(plan, "index/network:Network", "{name}") or ("",)
    engine = Box("engine", f"Docker network {network[0]}", inside=services, look="frame")
    clients = Box("clients", "Clients", ("127.0.0.1",), look="outside")
    return Box("page", inside=(clients, engine), across=True, look="page")


def _part(plan: Recording, key: str, title: str, type_: str, *templates: str) -> Iterator[Box]:
    """The box of the first of a type, if there is one."""
    lines = _first(plan, type_, *templates)
    if lines is not None:
        yield Box(key, title, lines)


def _first(plan: Recording, type_: str, *templates: str) -> tuple[str, ...] | None:
    """What the first of a type says, or None where there is none."""
    for resource in plan.of_type(type_):
        return _lines(resource, templates)
    return None


def _lines(resource: Recorded, templates: Iterable[str]) -> tuple[str, ...]:
    found = (filled(template, resource.inputs) for template in templates)
    return tuple(text for text in found if text is not None)


def _keys(box: Box) -> Iterator[str]:
    yield box.key
    for inner in box.inside:
        yield from _keys(inner)
