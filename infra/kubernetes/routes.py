"""Which path leads where. Nothing leads to a metrics port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.kubernetes.certificates import HTTP_LISTENER
from infra.kubernetes.custom_objects import GATEWAY_GROUP, HTTP_ROUTE
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import GATEWAY_NAME
from infra.kubernetes.retries import READING_METHOD, READS
from infra.workload import WorkloadName, enabled

if TYPE_CHECKING:
    from infra.kubernetes.workloads import Backend
    from infra.settings import Settings

HTTPS_LISTENER = "https"
PREFIXES: Mapping[WorkloadName, str] = {"faq": "/faq", "resnet": "/resnet", "web": "/"}


@dataclass(frozen=True)
class Route:
    """A path and the workload behind it.

    Attributes:
        workload: name of the workload, and of its service.
        prefix: path that leads there; the workload sees the path without it.
    """

    workload: WorkloadName
    prefix: str

    def url(self, host_name: str) -> str:
        """Where clients reach the workload."""
        return f"https://{host_name}{self.prefix}"


def routes_of(settings: Settings) -> list[Route]:
    """The routes of the workloads that are deployed."""
    return [Route(name, PREFIXES[name]) for name in enabled(settings)]


def declare_routes(
    name: str,
    settings: Settings,
    namespace: pulumi.Input[str],
    backends: Mapping[str, Backend],
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource],
) -> None:
    """Declare the redirect to HTTPS, and a route for each workload."""
    opts = pulumi.ResourceOptions(parent=parent, depends_on=after)
    host_name = settings.gateway.host_name
    HTTP_ROUTE.declare(
        f"{name}-redirect",
        object_meta("redirect-to-https", namespace),
        redirect_spec(host_name),
        opts,
    )
    for route in routes_of(settings):
        HTTP_ROUTE.declare(
            f"{name}-{route.workload}",
            object_meta(route.workload, namespace),
            route_spec(route, backends[route.workload], host_name),
            opts,
        )


def redirect_spec(host_name: str) -> dict[str, object]:
    """Every path of the HTTP listener, permanently to HTTPS."""
    redirect = {
        "type": "RequestRedirect",
        "requestRedirect": {"scheme": "https", "statusCode": 301},
    }
    return {
        "parentRefs": [_listener(HTTP_LISTENER)],
        "hostnames": [host_name],
        "rules": [{"matches": [_prefix("/")], "filters": [redirect]}],
    }


def route_spec(route: Route, backend: Backend, host_name: str) -> dict[str, object]:
    """A workload's path, without its prefix, to the port of its API.

    Two rules, one of them for requests that only read, so that these can be tried again.
    """
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    }
    to_workload: dict[str, object] = {
        "backendRefs": [
            {
                "group": "",
                "kind": "Service",
                "name": backend.service_name,
                "port": backend.port,
                "weight": 1,
            }
        ],
    }
    if route.prefix != "/":
        to_workload["filters"] = [rewrite]
    here = _prefix(route.prefix)
    return {
        "parentRefs": [_listener(HTTPS_LISTENER)],
        "hostnames": [host_name],
        "rules": [
            {
                "name": READS,
                "matches": [{**here, "method": READING_METHOD}],
                **to_workload,
            },
            {"matches": [here], **to_workload},
        ],
    }


def _listener(section: str) -> dict[str, str]:
    return {
        "group": GATEWAY_GROUP,
        "kind": "Gateway",
        "name": GATEWAY_NAME,
        "sectionName": section,
    }


def _prefix(path: str) -> dict[str, object]:
    return {"path": {"type": "PathPrefix", "value": path}}
