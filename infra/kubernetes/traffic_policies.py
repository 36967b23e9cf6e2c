"""Limits of the gateway: TLS, sizes, rates, times, networks.

Every field: gateway.envoyproxy.io/v1.9/api/extension_types
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.kubernetes.custom_objects import (
    BACKEND_TRAFFIC_POLICY,
    CLIENT_TRAFFIC_POLICY,
    GATEWAY_GROUP,
    SECURITY_POLICY,
)
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import GATEWAY_NAME
from infra.kubernetes.retries import NEVER_BEGUN, policy_of_reads, retry
from infra.kubernetes.routes import HTTPS_LISTENER, routes_of
from infra.kubernetes.sign_in import affinity_policies

if TYPE_CHECKING:
    from infra.sections.gateway import GatewaySettings
    from infra.settings import Settings

CIPHERS = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
]
"""Of TLS 1.2: forward secrecy and authenticated encryption only (wiki.mozilla.org, intermediate)."""
MOST_CONNECTIONS = 4000
"""At one proxy; each costs some 50 kB, which its memory bears."""
IDLE_SECONDS = 180
"""Below the four minutes after which Azure's load balancer forgets a connection without a word."""
CONNECTION_MINUTES = 15
"""Then a client connects anew, perhaps to a proxy that was added since."""
HEADERS_SECONDS = 10
HSTS_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Refusal:
    """An answer that the gateway gives by itself.

    Attributes:
        status: HTTP status.
        title: what the status is called.
        detail: what the client can do.
        retry_after: value of the header Retry-After, where waiting helps.
    """

    status: int
    title: str
    detail: str
    retry_after: str | None = None


REFUSALS = (
    Refusal(403, "Forbidden", "This address may not call the gateway."),
    Refusal(413, "Payload Too Large", "The request's body is larger than the gateway takes."),
    Refusal(
        429,
        "Too Many Requests",
        "This address sends more requests a minute than the gateway takes.",
        # The bucket is filled once a minute, so that this is the longest wait.
        retry_after="60",
    ),
    Refusal(503, "Service Unavailable", "No pod of the service is ready.", retry_after="5"),
    Refusal(504, "Gateway Timeout", "The service took longer than the gateway waits."),
)


def declare_traffic_policies(
    name: str,
    settings: Settings,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
    after: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare the policies of the Gateway; what routes must come after, to open with limits."""
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[after])
    clients = CLIENT_TRAFFIC_POLICY.declare(
        f"{name}-clients",
        object_meta("clients", namespace),
        client_policy(settings.gateway, settings.network.gateway_subnet),
        opts,
    )
    backends = BACKEND_TRAFFIC_POLICY.declare(
        f"{name}-backends",
        object_meta("backends", namespace),
        backend_policy(settings.gateway),
        opts,
    )
    policies: list[pulumi.Resource] = [clients, backends]
    policies += [
        BACKEND_TRAFFIC_POLICY.declare(
            f"{name}-{policy}", object_meta(policy, namespace), spec, opts
        )
        for policy, spec in route_policies(settings).items()
    ]
    if not settings.gateway.allowed_networks:
        return policies
    networks = SECURITY_POLICY.declare(
        f"{name}-networks",
        object_meta("allowed-networks", namespace),
        network_policy(settings.gateway.allowed_networks),
        opts,
    )
    return [*policies, networks]


def route_policies(settings: Settings) -> dict[str, dict[str, object]]:
    """Policies of single routes, on top of the Gateway's own, by name."""
    routes = {route.workload for route in routes_of(settings)}
    # Its sessions are in the memory of one of its pods (docs/decisions/0020).
    sticky = {"web"} & routes if settings.web.sign_in is not None else set[str]()
    policies = affinity_policies() if sticky else {}
    # The gateway does not take a policy of nothing.
    if others := sorted(routes - sticky):
        policies["reads"] = policy_of_reads(others)
    return policies


def client_policy(gateway: GatewaySettings, firewall_subnet: str) -> dict[str, object]:
    """What clients may do. Envoy's own limits of headers hold: 60 KiB and 100 of them."""
    tls: dict[str, object] = {
        "minVersion": _minimum_tls(gateway),
        "alpnProtocols": ["h2", "http/1.1"],
    }
    if tls["minVersion"] == "1.2":
        tls["ciphers"] = CIPHERS  # those of TLS 1.3 cannot be chosen
    spec: dict[str, object] = {
        "targetRefs": [_gateway()],
        "tls": tls,
        "timeout": {
            "tcp": {"tlsHandshakeTimeout": f"{HEADERS_SECONDS}s"},
            "http": {
                "requestHeadersReceivedTimeout": f"{HEADERS_SECONDS}s",
                "requestReceivedTimeout": f"{gateway.request_timeout_seconds}s",
                "idleTimeout": f"{IDLE_SECONDS}s",
            },
        },
        "connection": {
            "connectionLimit": {
                "value": MOST_CONNECTIONS,
                "maxConnectionDuration": f"{CONNECTION_MINUTES}m",
            }
        },
        "http2": {
            "maxConcurrentStreams": 100,
            "initialStreamWindowSize": "64Ki",
            "initialConnectionWindowSize": "1Mi",
        },
        # One path must mean one thing to the gateway and to the service behind it.
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "headers": {
            "withUnderscoresAction": "DropHeader",
            "enableEnvoyHeaders": False,
            "requestID": "PreserveOrGenerate",
            "lateResponseHeaders": {
                "set": [
                    {"name": "Strict-Transport-Security", "value": f"max-age={HSTS_SECONDS}"},
                ]
            },
        },
    }
    if gateway.web_application_firewall != "off":
        # Believed from the firewall's own subnet only; anybody could write the header.
        trusted = {"trustedCIDRs": [firewall_subnet]}
        spec["clientIPDetection"] = {"xForwardedFor": trusted}
    return spec


def _minimum_tls(gateway: GatewaySettings) -> str:
    """Of a client, the setting; of the firewall in front, 1.2.

    Application Gateway speaks no later version to what is behind it, whatever it demands of its
    own clients (learn.microsoft.com/azure/application-gateway/application-gateway-ssl-policy-overview).
    """
    if gateway.web_application_firewall == "off":
        return gateway.tls.minimum_version
    return "1.2"


def backend_policy(gateway: GatewaySettings) -> dict[str, object]:
    """What reaches the services.

    No answer is asked for twice: a scoring request that timed out would only add to the load. No
    outlier detection either: a pod that answers 503 at capacity is well, and says so by design.
    The rate holds for each client address, rule of a route, and proxy.
    """
    each_client = {"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}
    return {
        "targetRefs": [_gateway()],
        "rateLimit": {
            "type": "Local",
            "local": {
                "rules": [
                    {
                        "clientSelectors": [each_client],
                        "limit": {"requests": gateway.requests_per_minute, "unit": "Minute"},
                    }
                ]
            },
        },
        "timeout": {
            "tcp": {"connectTimeout": "3s"},
            "http": {"requestTimeout": f"{gateway.request_timeout_seconds}s"},
        },
        "retry": retry(NEVER_BEGUN),
        # Requests differ a hundredfold in cost: the pod with the fewest under way is the one.
        "loadBalancer": {"type": "LeastRequest"},
        "requestBuffer": {"limit": f"{gateway.max_body_mib}Mi"},
        "responseOverride": [_problem(refusal) for refusal in REFUSALS],
    }


def _problem(refusal: Refusal) -> dict[str, object]:
    """The refusal in the form of the services' own (RFC 9457), whose answers stay as they are."""
    body = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "error": refusal.detail,
    }
    response: dict[str, object] = {
        "contentType": "application/problem+json",
        "body": {"type": "Inline", "inline": json.dumps(body)},
    }
    if refusal.retry_after is not None:
        header = {"name": "Retry-After", "value": refusal.retry_after}
        response["header"] = {"set": [header]}
    return {
        "match": {"statusCodes": [{"type": "Value", "value": refusal.status}]},
        "source": "Local",
        "response": response,
    }


def network_policy(networks: tuple[str, ...]) -> dict[str, object]:
    """Who may call. The HTTP listener stays open, for ACME's challenges and the redirect."""
    return {
        "targetRefs": [{**_gateway(), "sectionName": HTTPS_LISTENER}],
        "authorization": {
            "defaultAction": "Deny",
            "rules": [
                {
                    "name": "allowed-networks",
                    "action": "Allow",
                    "principal": {"clientCIDRs": list(networks)},
                }
            ],
        },
    }


def _gateway() -> dict[str, str]:
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": GATEWAY_NAME}
