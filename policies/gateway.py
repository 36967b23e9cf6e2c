"""Rules on the gateway: TLS, redirects, routes, certificates, limits."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.kubernetes_network import SERVICE
from policies.pods import name_of, namespace_of
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
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule
from policies.sources import Source, aks, gateway_api

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
CLIENT_POLICY = "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy"
BACKEND_POLICY = "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
ISSUERS = ("kubernetes:cert-manager.io/v1:Issuer", "kubernetes:cert-manager.io/v1:ClusterIssuer")
RELEASE = "kubernetes:helm.sh/v3:Release"
METRICS_PORTS = (9090, 9091, 19001)
ENVOY = Source("Envoy Gateway: API", "https://gateway.envoyproxy.io/docs/api/extension_types/")
CERT_MANAGER = Source(
    "cert-manager: Certificate", "https://cert-manager.io/docs/usage/certificate/"
)


def _https(gateway: Resource) -> Iterator[str]:
    listeners = items(gateway.at("spec", "listeners"))
    if listeners and not any(may_equal(at(one, "protocol"), "HTTPS") for one in listeners):
        yield "no listener speaks HTTPS"
    for listener in listeners:
        name = text(at(listener, "name"))
        if at(listener, "protocol") != "HTTPS":
            continue
        if at(listener, "tls", "certificateRefs") in (None, []):
            yield f"listener {name} has no certificate"
        if at(listener, "tls", "mode") not in (None, "Terminate", UNKNOWN):
            yield f"listener {name}: TLS does not end at the gateway"


def _plain_listeners(stack: Stack) -> set[tuple[str, str]]:
    return {
        (text(name_of(gateway)), text(at(listener, "name")))
        for gateway in stack.of_type(GATEWAY)
        for listener in items(gateway.at("spec", "listeners"))
        if at(listener, "protocol") == "HTTP"
    }


def _redirects(rule: object) -> bool:
    return any(
        at(one, "type") == "RequestRedirect"
        and at(one, "requestRedirect", "scheme") in ("https", UNKNOWN)
        for one in items(at(rule, "filters"))
    )


def _plain_http_redirected(stack: Stack) -> Iterator[Finding]:
    plain = _plain_listeners(stack)
    redirected: set[tuple[str, str]] = set()
    for route in stack.of_type(ROUTE):
        rules = items(route.at("spec", "rules"))
        for parent in items(route.at("spec", "parentRefs")):
            name, section = text(at(parent, "name")), at(parent, "sectionName")
            hit = {one for one in plain if one[0] == name and section in (None, one[1])}
            redirects = rules and all(_redirects(rule) for rule in rules)
            if hit and not redirects and not holds_unknown(route.at("spec")):
                yield Finding(route, f"it answers on the plain listener {min(hit)[1]}")
            redirected |= hit
    parents = [route.at("spec", "parentRefs") for route in stack.of_type(ROUTE)]
    listeners = [gateway.at("spec", "listeners") for gateway in stack.of_type(GATEWAY)]
    if holds_unknown([parents, listeners]):
        return
    for gateway in stack.of_type(GATEWAY):
        for name, listener in sorted(plain - redirected):
            if name == name_of(gateway):
                yield Finding(gateway, f"nothing redirects the plain listener {listener}")


def _backends(stack: Stack) -> Iterator[tuple[Resource, object]]:
    for route in stack.of_type(ROUTE):
        for rule in items(route.at("spec", "rules")):
            for backend in items(at(rule, "backendRefs")):
                yield route, backend


def _backend_exists(stack: Stack) -> Iterator[Finding]:
    services = stack.of_type(SERVICE)
    for route, backend in _backends(stack):
        name = at(backend, "name")
        if name is UNKNOWN or at(backend, "kind") not in (None, "Service"):
            continue
        found = [
            service for service in services
            if may_equal(name_of(service), name)
            and may_equal(namespace_of(service), at(backend, "namespace") or namespace_of(route))
        ]  # fmt: skip
        ports = [one.at("spec", "ports") for one in found]
        numbers = [number(at(port, "port")) for there in ports for port in items(there)]
        if not found:
            yield Finding(route, f"there is no service {text(name)}")
        elif not holds_unknown([at(backend, "port"), ports]) and (
            number(at(backend, "port")) not in numbers
        ):
            yield Finding(route, f"{text(name)} has no port {shown(at(backend, 'port'))}")


def _no_metrics(route: Resource) -> Iterator[str]:
    for rule in items(route.at("spec", "rules")):
        for backend in items(at(rule, "backendRefs")):
            if number(at(backend, "port")) in METRICS_PORTS:
                yield f"port {shown(at(backend, 'port'))} serves metrics"


def _client_tls(stack: Stack) -> Iterator[Finding]:
    policies = stack.of_type(CLIENT_POLICY)
    for policy in policies:
        minimum = policy.at("spec", "tls", "minVersion")
        if minimum not in ("1.2", "1.3", UNKNOWN):
            yield Finding(policy, f"spec.tls.minVersion is {shown(minimum)}")
    for gateway in stack.of_type(GATEWAY):
        if not policies:
            yield Finding(gateway, "no ClientTrafficPolicy sets the oldest TLS version")


def _limited(stack: Stack) -> Iterator[Finding]:
    policies = stack.of_type(BACKEND_POLICY)
    limited = any(policy.at("spec", "rateLimit") is not None for policy in policies)
    for gateway in stack.of_type(GATEWAY):
        if not limited:
            yield Finding(gateway, "no BackendTrafficPolicy limits the rate of requests")


def _certificate(certificate: Resource) -> Iterator[str]:
    key = certificate.at("spec", "privateKey")
    algorithm, size = at(key, "algorithm"), number(at(key, "size"))
    if algorithm not in ("ECDSA", "Ed25519", UNKNOWN) and (size or 0) < 3072:
        yield f"the private key is {shown(algorithm)} of {shown(size)} bits"
    if at(key, "rotationPolicy") not in ("Always", UNKNOWN):
        yield "spec.privateKey.rotationPolicy is not Always: a lost key stays good for ever"


def _trusted_issuer(stack: Stack) -> Iterator[Finding]:
    for issuer in stack.of_type(*ISSUERS):
        server = issuer.at("spec", "acme", "server")
        if is_set(issuer.at("spec", "selfSigned")):
            yield Finding(issuer, "no client trusts a self-signed certificate")
        elif "staging" in text(server):
            yield Finding(issuer, "no client trusts certificates of the staging service")


def _ingress(ingress: Resource) -> Iterator[str]:
    yield f"{ingress.name} is an Ingress"


def _pinned(release: Resource) -> Iterator[str]:
    version = release.at("version")
    digits = text(version).removeprefix("v").split("-")[0].split(".")
    if version is not UNKNOWN and not (len(digits) == 3 and all(part.isdigit() for part in digits)):
        yield f"version is {shown(version)}, not one release"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="gateway-https", types=(GATEWAY,),
        description="The gateway speaks HTTPS, and TLS ends there",
        severity=Severity.CRITICAL,
        remediation="Declare a listener with protocol HTTPS and certificateRefs",
        sources=(gateway_api("TLS", "guides/tls"), aks("app-routing-gateway-api")),
        check=_https,
    ),
    StackRule(
        name="gateway-redirects-http",
        description="Plain HTTP gets a redirect, and nothing else",
        severity=Severity.HIGH,
        remediation="Attach one HTTPRoute with RequestRedirect to the plain listener, and no other",
        sources=(gateway_api("redirects", "guides/http-redirect-rewrite"),),
        check=_plain_http_redirected,
    ),
    StackRule(
        name="route-backend-exists",
        description="Every route leads to a service and port of the stack",
        severity=Severity.HIGH,
        remediation="Name the service and its port in backendRefs",
        sources=(gateway_api("HTTPRoute", "api-types/httproute"),),
        check=_backend_exists,
    ),
    ResourceRule(
        name="route-no-metrics", types=(ROUTE,),
        description="Metrics are not reachable from outside",
        severity=Severity.MEDIUM,
        remediation="Route to the API port alone",
        sources=(gateway_api("HTTPRoute", "api-types/httproute"),),
        check=_no_metrics,
    ),
    StackRule(
        name="gateway-tls-version",
        description="The gateway takes TLS 1.2 or newer",
        severity=Severity.HIGH,
        remediation='Set spec.tls.minVersion "1.2" in the ClientTrafficPolicy',
        sources=(ENVOY,),
        check=_client_tls,
    ),
    StackRule(
        name="gateway-rate-limited",
        description="The gateway limits the rate of requests",
        severity=Severity.MEDIUM,
        remediation="Declare a BackendTrafficPolicy with rateLimit",
        sources=(ENVOY,),
        check=_limited,
    ),
    ResourceRule(
        name="certificate-key", types=(CERTIFICATE,),
        description="A certificate's key is strong, and new at every renewal",
        severity=Severity.MEDIUM,
        remediation="Set privateKey with algorithm ECDSA and rotationPolicy Always",
        sources=(CERT_MANAGER,),
        check=_certificate,
    ),
    StackRule(
        name="certificate-trusted",
        description="In production clients trust the certificate's issuer",
        severity=Severity.HIGH,
        remediation="Set gateway.tls.issuer: acme or existing-secret",
        sources=(CERT_MANAGER,),
        check=_trusted_issuer, production_only=True,
    ),
    ResourceRule(
        name="no-ingress", types=(INGRESS,),
        description="Nothing needs an ingress controller; NGINX's ended in March 2026",
        severity=Severity.HIGH,
        remediation="Declare an HTTPRoute",
        sources=(aks("app-routing-gateway-api"),),
        check=_ingress,
    ),
    ResourceRule(
        name="helm-release-pinned", types=(RELEASE,),
        description="A Helm chart is of one version",
        severity=Severity.HIGH,
        remediation="Set version to one release, such as v1.9.1",
        sources=(Source("Pulumi: Helm Release",
                        "https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/"),),
        check=_pinned,
    ),
)  # fmt: skip
