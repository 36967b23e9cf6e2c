"""Namespaces, each with its Pod Security standard, network policies and quota."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.default_deny import (
    allow_certificates,
    allow_dns,
    allow_gateway,
    allow_solvers,
    deny_all,
)
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import (
    CERTIFICATES_NAMESPACE,
    GATEWAY_NAMESPACE,
    GPU_NAMESPACE,
    SERVICES_NAMESPACE,
)
from infra.kubernetes.quotas import (
    MOST_GPU_NODES,
    declare_critical_quota,
    declare_quota,
    gateway_budget,
    services_budget,
)
from infra.settings import Settings

SecurityStandard = Literal["restricted", "privileged"]


@dataclass(frozen=True)
class NamespacesArgs:
    """What the namespaces depend on."""

    settings: Settings


class Namespaces(pulumi.ComponentResource):
    """The stack's namespaces. Use their names from here, so that what goes in comes after.

    Attributes:
        services: of the services and of the gateway's objects.
        gateway: of Envoy Gateway and its proxies.
        certificates: of cert-manager; None where the certificate exists already.
        gpu: of the device plugin; None where nothing runs on a GPU.
    """

    services: pulumi.Output[str]
    gateway: pulumi.Output[str]
    certificates: pulumi.Output[str] | None
    gpu: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:Namespaces", name, None, opts)
        settings = args.settings
        self.services = self._services(f"{name}-services", settings)
        self.gateway = self._gateway(f"{name}-gateway", settings)
        self.certificates = None
        if settings.gateway.tls.issuer != "existing-secret":
            self.certificates = self._certificates(f"{name}-certificates")
        self.gpu = None
        if settings.resnet.enabled and settings.resnet.device == "gpu":
            self.gpu = self._gpu(f"{name}-gpu", settings)
        self.register_outputs(
            {
                "services": self.services,
                "gateway": self.gateway,
                "certificates": self.certificates,
                "gpu": self.gpu,
            }
        )

    def _services(self, name: str, settings: Settings) -> pulumi.Output[str]:
        namespace = self._namespace(name, SERVICES_NAMESPACE)
        deny_all(name, namespace, self)
        allow_dns(name, namespace, self)
        if settings.gateway.tls.issuer.startswith("acme"):
            allow_solvers(name, namespace, self)
        declare_quota(name, namespace, services_budget(settings), load_balancers=0, parent=self)
        return namespace

    def _gateway(self, name: str, settings: Settings) -> pulumi.Output[str]:
        namespace = self._namespace(name, GATEWAY_NAMESPACE)
        deny_all(name, namespace, self)
        allow_dns(name, namespace, self)
        allow_gateway(name, namespace, self)
        declare_quota(name, namespace, gateway_budget(settings), load_balancers=1, parent=self)
        return namespace

    def _certificates(self, name: str) -> pulumi.Output[str]:
        namespace = self._namespace(name, CERTIFICATES_NAMESPACE)
        deny_all(name, namespace, self)
        allow_dns(name, namespace, self)
        allow_certificates(name, namespace, self)
        return namespace

    def _gpu(self, name: str, settings: Settings) -> pulumi.Output[str]:
        """No way in or out: the device plugin speaks to its own node through a socket."""
        namespace = self._namespace(name, GPU_NAMESPACE, "privileged")
        deny_all(name, namespace, self)
        pool = settings.cluster.gpu_pool
        # Twice, because an upgrade adds nodes before it takes others away.
        most = MOST_GPU_NODES if pool is None else 2 * pool.max_nodes
        declare_critical_quota(name, namespace, most, self)
        return namespace

    def _namespace(
        self, resource_name: str, name: str, standard: SecurityStandard = "restricted"
    ) -> pulumi.Output[str]:
        """Pod Security: kubernetes.io/docs/concepts/security/pod-security-standards."""
        modes = ("enforce", "audit", "warn")
        labels = {f"pod-security.kubernetes.io/{mode}": standard for mode in modes}
        namespace = kubernetes.core.v1.Namespace(
            resource_name,
            metadata=object_meta(name, labels=labels),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return namespace.metadata.apply(lambda metadata: metadata.name or name)
