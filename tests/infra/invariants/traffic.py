"""What gateway, routes, services, network policies and containers must agree on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.kubernetes.places import SERVICES_NAMESPACE
from infra.recording import Recorded, Recording
from tests.infra.invariants.looking import Workload, at, key, kind, workloads

Listener = tuple[tuple[str, str], str]
"""A Gateway's namespace and name, and the listener's own."""
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def every_service_reaches_a_port_of_its_pods(recording: Recording) -> Iterator[str]:
    for service in kind(recording, "Service"):
        chosen = _chosen(recording, key(service)[0], at(service.inputs, "spec.selector"))
        if not chosen:
            yield f"{service.name} selects no pods"
        for workload in chosen:
            for port in at(service.inputs, "spec.ports"):
                if _number(workload, port.get("targetPort", port["port"])) is None:
                    yield f"{service.name} targets {port}, not a port of {workload.name}"


def every_probe_asks_a_port_of_its_container(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording, "Deployment"):
        for container in workload.pod["containers"]:
            for probe in PROBES:
                port = at(container, f"{probe}.httpGet.port")
                if port is None:
                    yield f"{workload.name} has no {probe}"
                elif _number(workload, port) is None:
                    yield f"{workload.name}: {probe} asks {port}, not a port of the container"


def every_port_of_a_service_is_let_in(recording: Recording) -> Iterator[str]:
    for service in kind(recording, "Service"):
        for workload in _chosen(recording, key(service)[0], at(service.inputs, "spec.selector")):
            allowed = _let_in(recording, workload)
            for port in at(service.inputs, "spec.ports"):
                number = _number(workload, port.get("targetPort", port["port"]))
                if number not in allowed:
                    yield f"{service.name}: port {number} is let in by no policy ({allowed})"


def only_ports_of_containers_are_let_in(recording: Recording) -> Iterator[str]:
    for workload in workloads(recording, "Deployment"):
        ports = {p["containerPort"] for c in workload.containers for p in c.get("ports", ())}
        for port in sorted(_let_in(recording, workload) - ports):
            yield f"{workload.name}: port {port} is let in, but nothing listens there"


def every_pod_is_walled_in(recording: Recording) -> Iterator[str]:
    """Something denies by default, and something allows what the pods need."""
    for workload in workloads(recording, "Deployment"):
        policies = _policies(recording, workload)
        for direction in ("Ingress", "Egress"):
            if not any(direction in at(p.inputs, "spec.policyTypes") for p in policies):
                yield f"{workload.name}: {direction} is open to everybody"


def only_the_gateway_has_a_public_address(recording: Recording) -> Iterator[str]:
    for service in kind(recording, "Service"):
        if at(service.inputs, "spec.type") in ("LoadBalancer", "NodePort"):
            yield f"{service.name} is reached past the gateway"


def every_route_leads_to_a_service(recording: Recording) -> Iterator[str]:
    services = {key(service): service for service in kind(recording, "Service")}
    for route in kind(recording, "HTTPRoute"):
        for rule in at(route.inputs, "spec.rules"):
            for backend in rule.get("backendRefs", ()):
                name = (backend.get("namespace", key(route)[0]), backend["name"])
                ports = (
                    [p["port"] for p in at(services[name].inputs, "spec.ports")]
                    if name in services
                    else []
                )
                if backend["port"] not in ports:
                    yield f"{route.name} leads to {name}:{backend['port']}, which is not there"


def every_route_hangs_on_a_listener(recording: Recording) -> Iterator[str]:
    protocols = _protocols(recording)
    for route, listener in _parents(recording):
        if listener not in protocols:
            gateway, name = listener
            yield f"{route.name} hangs on {gateway}'s {name}"


def plain_http_is_redirected_and_nothing_else(recording: Recording) -> Iterator[str]:
    protocols = _protocols(recording)
    for route, listener in _parents(recording):
        if protocols.get(listener) == "HTTP":
            filters = [f for rule in at(route.inputs, "spec.rules") for f in rule["filters"]]
            redirects = [at(f, "requestRedirect.scheme") for f in filters]
            if redirects != ["https"]:
                yield f"{route.name} serves plain HTTP"


def the_services_namespace_denies_by_default(recording: Recording) -> Iterator[str]:
    if not any(workloads(recording, "Deployment")):
        return
    denies = [
        policy
        for policy in kind(recording, "NetworkPolicy")
        if key(policy)[0] == SERVICES_NAMESPACE
        and not at(policy.inputs, "spec.podSelector.matchLabels")
        and set(at(policy.inputs, "spec.policyTypes")) == {"Ingress", "Egress"}
        and not at(policy.inputs, "spec.ingress")
        and not at(policy.inputs, "spec.egress")
    ]
    if not denies:
        yield f"the namespace {SERVICES_NAMESPACE} lets everybody in and out"


def _protocols(recording: Recording) -> dict[Listener, str]:
    return {
        (key(gateway), listener["name"]): listener["protocol"]
        for gateway in kind(recording, "Gateway")
        for listener in at(gateway.inputs, "spec.listeners")
    }


def _parents(recording: Recording) -> Iterator[tuple[Recorded, Listener]]:
    """Each route with each listener that it hangs on."""
    for route in kind(recording, "HTTPRoute"):
        for parent in at(route.inputs, "spec.parentRefs"):
            gateway = (parent.get("namespace", key(route)[0]), parent["name"])
            yield route, (gateway, parent.get("sectionName"))


def _chosen(recording: Recording, namespace: str, labels: Any) -> list[Workload]:
    return [w for w in workloads(recording) if labels and w.is_chosen_by(namespace, labels)]


def _policies(recording: Recording, workload: Workload) -> list[Recorded]:
    return [
        policy
        for policy in kind(recording, "NetworkPolicy")
        if workload.is_chosen_by(key(policy)[0], at(policy.inputs, "spec.podSelector.matchLabels"))
    ]


def _let_in(recording: Recording, workload: Workload) -> set[int]:
    found = {
        _number(workload, port["port"])
        for policy in _policies(recording, workload)
        for rule in at(policy.inputs, "spec.ingress") or ()
        for port in rule["ports"]
    }
    return {port for port in found if port is not None} | {
        port["port"]
        for policy in _policies(recording, workload)
        for rule in at(policy.inputs, "spec.ingress") or ()
        for port in rule["ports"]
        if isinstance(port["port"], int)
    }


def _number(workload: Workload, port: int | str) -> int | None:
    """The number of a container port, given by name or number."""
    for container in workload.containers:
        for declared in container.get("ports", ()):
            if port in (declared.get("name"), declared["containerPort"]):
                return declared["containerPort"]
    return None


INVARIANTS = (
    every_service_reaches_a_port_of_its_pods,
    every_probe_asks_a_port_of_its_container,
    every_port_of_a_service_is_let_in,
    only_ports_of_containers_are_let_in,
    every_pod_is_walled_in,
    only_the_gateway_has_a_public_address,
    every_route_leads_to_a_service,
    every_route_hangs_on_a_listener,
    plain_http_is_redirected_and_nothing_else,
    the_services_namespace_denies_by_default,
)
