"""All workloads of the stack, and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import scheduling

from infra.azure.workload_identity import WorkloadIdentities
from infra.images import ServiceImages
from infra.kubernetes.api_keys import ApiKeys
from infra.kubernetes.autoscaling import QueueMetrics
from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.pod import PodArgs
from infra.kubernetes.pull_secret import declare_pull_secret
from infra.kubernetes.scoring_service import ScoringService, ScoringServiceArgs
from infra.settings import Settings
from infra.stacks.platform_outputs import PlatformOutputs
from infra.workload import WorkloadName, enabled, is_service

PRIORITY_CLASS = "realtime-scoring"
PRIORITY = 100_000
"""Over the default of 0, far below Kubernetes' own two billion."""


@dataclass(frozen=True)
class WorkloadsArgs:
    """Arguments of :class:`Workloads`.

    Attributes:
        settings: the stack's.
        namespaces: of which the services' holds the workloads.
        images: by digest.
        identities: the workloads' and KEDA's in Azure.
        keys: the key files to mount.
        platform: of which the address of managed Prometheus.
    """

    settings: Settings
    namespaces: Namespaces
    images: ServiceImages
    identities: WorkloadIdentities
    keys: ApiKeys
    platform: PlatformOutputs


@dataclass(frozen=True)
class Backend:
    """Where the gateway sends a workload's requests.

    Attributes:
        service_name: of the Service, in the services' namespace.
        port: of the Service.
    """

    service_name: pulumi.Output[str]
    port: int


class Workloads(pulumi.ComponentResource):
    """The two services and the client application, as far as they are enabled.

    Attributes:
        backends: by workload.
    """

    backends: Mapping[str, Backend]

    def __init__(
        self, name: str, args: WorkloadsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:Workloads", name, None, opts)
        priority = self._priority_class(name)
        pull_secret = self._pull_secret(name, args)
        backends: dict[str, Backend] = {}
        for workload in enabled(args.settings):
            service = ScoringService(
                f"{name}-{workload}",
                ScoringServiceArgs(
                    settings=args.settings,
                    workload=workload,
                    namespace=args.namespaces.services,
                    pod=PodArgs(
                        image=args.images.references[workload],
                        keys=args.keys.volumes[workload],
                        pull_secret=pull_secret,
                        priority_class=priority if is_service(workload) else None,
                    ),
                    client_id=args.identities.client_ids.get(workload),
                    queue=_queue_metrics(args, workload),
                    ready=args.keys.ready,
                ),
                pulumi.ResourceOptions(parent=self),
            )
            backends[workload] = Backend(service.service_name, service.port)
        self.backends = backends
        self.register_outputs(
            {"services": {name: backend.service_name for name, backend in backends.items()}}
        )

    def _priority_class(self, name: str) -> pulumi.Output[str]:
        """Where nodes run short, the services stay and the page for people waits."""
        priority = scheduling.v1.PriorityClass(
            f"{name}-priority",
            metadata=object_meta(PRIORITY_CLASS),
            value=PRIORITY,
            global_default=False,
            description="The scoring services, before anything else that is not Kubernetes' own.",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return priority.metadata["name"]

    def _pull_secret(self, name: str, args: WorkloadsArgs) -> pulumi.Output[str] | None:
        registry = args.settings.registry
        if registry.kind != "docker_hub" or registry.docker_hub is None:
            return None
        return declare_pull_secret(
            f"{name}-pull-secret",
            registry.docker_hub,
            args.namespaces.services,
            pulumi.ResourceOptions(parent=self),
        )


def _queue_metrics(args: WorkloadsArgs, workload: WorkloadName) -> QueueMetrics | None:
    client_id = args.identities.keda_client_id
    if not is_service(workload) or client_id is None:
        return None
    return QueueMetrics(args.platform.prometheus_query_endpoint, client_id)
