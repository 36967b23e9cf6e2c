"""One workload in the cluster: everything from its service account to its network policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps, core, meta

from infra.kubernetes.autoscaling import QueueMetrics, Target, scale_on_cpu, scale_on_queue
from infra.kubernetes.disruption import limit_disruption
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import API_PORT, API_PORT_NAME
from infra.kubernetes.pod import STARTUP_SECONDS, PodArgs, pod_template, selector
from infra.kubernetes.service_network_policy import allow_traffic
from infra.settings import Settings
from infra.workload import WorkloadName, pool_of, settings_of

PULL_SECONDS = 600
"""For the image: torch's has gigabytes."""


@dataclass(frozen=True)
class ScoringServiceArgs:
    """Arguments of :class:`ScoringService`.

    Attributes:
        settings: the stack's.
        workload: which workload.
        namespace: where.
        pod: image, key file, pull secret and priority of its pods.
        client_id: of the workload's own Azure identity, where it has one.
        queue: the queue's metrics; needed where the workload scales on it.
        ready: what its pods mount, and cannot start without.
    """

    settings: Settings
    workload: WorkloadName
    namespace: pulumi.Input[str]
    pod: PodArgs
    client_id: pulumi.Input[str] | None = None
    queue: QueueMetrics | None = None
    ready: Sequence[pulumi.Resource] = ()


class ScoringService(pulumi.ComponentResource):
    """A Deployment behind a Service, scaled, budgeted and walled in.

    Attributes:
        service_name: the Service's name, in the namespace of the arguments.
        port: the Service's port.
    """

    service_name: pulumi.Output[str]
    port: int

    def __init__(
        self, name: str, args: ScoringServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:ScoringService", name, None, opts)
        self._opts = pulumi.ResourceOptions(parent=self)
        account = self._service_account(name, args)
        allow_traffic(
            f"{name}-network-policy", args.workload, args.settings, args.namespace, self._opts
        )
        deployment = self._deployment(name, args, account)
        service = self._service(name, args)
        self._scale(name, args, deployment)
        limit_disruption(
            f"{name}-disruption",
            args.workload,
            settings_of(args.settings, args.workload),
            args.namespace,
            self._opts,
        )
        self.service_name = service.metadata["name"]
        self.port = API_PORT
        self.register_outputs({"serviceName": self.service_name, "port": self.port})

    def _metadata(
        self, args: ScoringServiceArgs, annotations: dict[str, pulumi.Input[str]] | None = None
    ) -> meta.v1.ObjectMetaArgs:
        return object_meta(
            args.workload,
            args.namespace,
            labels=selector(args.workload),
            annotations=annotations,
        )

    def _service_account(self, name: str, args: ScoringServiceArgs) -> core.v1.ServiceAccount:
        # The CSI driver signs in as this identity. The pod itself calls nothing in Azure, so it
        # lacks the label azure.workload.identity/use, which would give it the token as well.
        identity: dict[str, pulumi.Input[str]] | None = None
        if args.client_id is not None:
            identity = {"azure.workload.identity/client-id": args.client_id}
        return core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(args, identity),
            automount_service_account_token=False,
            opts=self._opts,
        )

    def _deployment(
        self, name: str, args: ScoringServiceArgs, account: core.v1.ServiceAccount
    ) -> apps.v1.Deployment:
        limit = progress_seconds(args.settings, args.workload)
        return apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata(args),
            # No replicas: they belong to the autoscaler, and server-side apply would take them
            # back at every `up` (pulumi-kubernetes issue 2491).
            spec=apps.v1.DeploymentSpecArgs(
                selector=meta.v1.LabelSelectorArgs(match_labels=selector(args.workload)),
                strategy=_strategy(args),
                progress_deadline_seconds=limit,
                revision_history_limit=5,
                min_ready_seconds=5,
                template=pod_template(args.settings, args.workload, args.pod),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                # A component's own dependencies would not reach its children.
                depends_on=[account, *args.ready],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{limit + 60}s", update=f"{limit + 60}s"
                ),
            ),
        )

    def _service(self, name: str, args: ScoringServiceArgs) -> core.v1.Service:
        return core.v1.Service(
            f"{name}-service",
            # The Deployment is waited for; waiting here too would end after ten minutes, before
            # the first GPU node is there.
            metadata=self._metadata(args, {"pulumi.com/skipAwait": "true"}),
            spec=core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(args.workload),
                ports=[
                    core.v1.ServicePortArgs(
                        name=API_PORT_NAME,
                        port=API_PORT,
                        target_port=API_PORT_NAME,
                        protocol="TCP",
                        app_protocol="http",
                    )
                ],
            ),
            opts=self._opts,
        )

    def _scale(self, name: str, args: ScoringServiceArgs, deployment: apps.v1.Deployment) -> None:
        scaling = settings_of(args.settings, args.workload).scaling
        target = Target(args.workload, args.namespace, deployment.metadata["name"])
        if scaling.metric == "cpu":
            scale_on_cpu(f"{name}-autoscaler", target, scaling, self._opts)
            return
        if args.queue is None:
            raise pulumi.RunError(f"{args.workload} scales on its queue, without metrics of it")
        scale_on_queue(f"{name}-autoscaler", target, scaling, args.queue, self._opts)


def progress_seconds(settings: Settings, workload: WorkloadName) -> int:
    """How long a rollout may stand still: a node, the image and the model have to come first."""
    node = settings.cluster.autoscaler.node_provision_minutes * 60
    return node + PULL_SECONDS + STARTUP_SECONDS[workload]


def _strategy(args: ScoringServiceArgs) -> apps.v1.DeploymentStrategyArgs:
    """One new pod before an old one goes, but on GPUs the other way round.

    A surge pod would need a GPU beyond those in use: with the pool full, the rollout would wait
    for a node that never comes.
    """
    on_gpu = pool_of(args.settings, args.workload) == "gpu"
    return apps.v1.DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=apps.v1.RollingUpdateDeploymentArgs(
            max_surge=0 if on_gpu else 1, max_unavailable=1 if on_gpu else 0
        ),
    )
