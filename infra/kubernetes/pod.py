"""The pods of a workload: one container, hardened, on the nodes of its pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta

from infra.kubernetes.environment import environment
from infra.kubernetes.key_file import KEY_FOLDER
from infra.kubernetes.places import (
    API_PORT,
    API_PORT_NAME,
    METRICS_PORT,
    METRICS_PORT_NAME,
    NAME_LABEL,
    PART_OF,
    PART_OF_LABEL,
)
from infra.kubernetes.sign_in import is_federated, token_mount, token_volume
from infra.scheduling import (
    GPU_RESOURCE,
    GPU_TAINT_KEY,
    GPU_TAINT_VALUE,
    HOST_LABEL,
    POOL_LABEL,
    SPOT_TAINT_KEY,
    SPOT_TAINT_VALUE,
    ZONE_LABEL,
)
from infra.settings import Settings
from infra.workload import WorkloadName, pool_of, services_of, settings_of

USER_ID = 10_001
"""Of the images' user; over 10,000, so that it is nobody's on the node (checkov CKV_K8S_40)."""

SPARE_SECONDS = 10
"""On top of draining and stopping, before the kubelet kills a process that still runs."""

STARTUP_SECONDS: Mapping[WorkloadName, int] = {"faq": 120, "resnet": 600, "web": 60}
"""How long a pod may take until it is ready: resnet checks and loads 230 MB, on a cold GPU."""

PROBE_SECONDS = 2
KEYS_VOLUME = "keys"
TEMPORARY_VOLUME = "tmp"
TEMPORARY_SIZE = "64Mi"
DISK = "1Gi"
"""For /tmp and the container's log, of which AKS keeps five files of 50 MB."""


@dataclass(frozen=True)
class PodArgs:
    """What a pod is made of, besides the settings.

    Attributes:
        image: by digest.
        keys: the volume with the workload's key file; a volume, not a file of one, because a
            `subPath` never sees a rotated key.
        pull_secret: name of the Secret with the registry's credentials; None where the nodes' own
            identity may pull.
        priority_class: name of the pods' PriorityClass; None for the cluster's default.
    """

    image: pulumi.Input[str]
    keys: core.v1.VolumeArgs
    pull_secret: pulumi.Input[str] | None = None
    priority_class: pulumi.Input[str] | None = None


def selector(name: WorkloadName) -> dict[str, str]:
    """The labels that find a workload's pods; a Deployment's can never change."""
    return {NAME_LABEL: name, PART_OF_LABEL: PART_OF}


def grace_seconds(settings: Settings, name: WorkloadName) -> int:
    """How long a pod may take to end: it drains, then finishes what is under way."""
    workload = settings_of(settings, name)
    return workload.drain_seconds + workload.stop_seconds + SPARE_SECONDS


def pod_template(
    settings: Settings, name: WorkloadName, args: PodArgs
) -> core.v1.PodTemplateSpecArgs:
    """The pod of a workload, as its Deployment declares it."""
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(
            labels=selector(name),
            # Managed Prometheus scrapes what says so; the port is on no Service.
            annotations={
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(METRICS_PORT),
                "prometheus.io/path": "/metrics",
            },
        ),
        spec=core.v1.PodSpecArgs(
            service_account_name=name,
            automount_service_account_token=False,
            # Service links would set FAQ_PORT=tcp://… in every pod of the namespace: the name of
            # a setting, with a value that is none.
            enable_service_links=False,
            image_pull_secrets=None
            if args.pull_secret is None
            else [core.v1.LocalObjectReferenceArgs(name=args.pull_secret)],
            priority_class_name=args.priority_class,
            termination_grace_period_seconds=grace_seconds(settings, name),
            node_selector={POOL_LABEL: pool_of(settings, name)},
            tolerations=_tolerations(settings, name),
            topology_spread_constraints=[_spread(name, ZONE_LABEL), _spread(name, HOST_LABEL)],
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=USER_ID,
                run_as_group=USER_ID,
                fs_group=USER_ID,
                # Azure Policy's restricted standard refuses a pod that names none.
                supplemental_groups=[USER_ID],
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[_container(settings, name, args)],
            volumes=[
                args.keys,
                core.v1.VolumeArgs(
                    name=TEMPORARY_VOLUME,
                    empty_dir=core.v1.EmptyDirVolumeSourceArgs(size_limit=TEMPORARY_SIZE),
                ),
                *([token_volume()] if _has_own_token(settings, name) else []),
            ],
        ),
    )


def _container(settings: Settings, name: WorkloadName, args: PodArgs) -> core.v1.ContainerArgs:
    # By their Services' names, which are theirs.
    variables = environment(settings, name, {each: each for each in services_of(settings)})
    return core.v1.ContainerArgs(
        name=name,
        image=args.image,
        image_pull_policy="IfNotPresent",
        env=[core.v1.EnvVarArgs(name=key, value=value) for key, value in variables.items()],
        ports=[
            core.v1.ContainerPortArgs(name=API_PORT_NAME, container_port=API_PORT, protocol="TCP"),
            core.v1.ContainerPortArgs(
                name=METRICS_PORT_NAME, container_port=METRICS_PORT, protocol="TCP"
            ),
        ],
        resources=_resources(settings, name),
        # Until the first success of this one the other two wait. A model whose warm-up is wrong
        # never becomes ready: the pod is started again, and again, where everybody sees it.
        startup_probe=_probe(
            "/readyz", period=PROBE_SECONDS, failures=STARTUP_SECONDS[name] // PROBE_SECONDS
        ),
        readiness_probe=_probe("/readyz", period=5, failures=2),
        # Slow to anger: a pod under full load must not be killed for answering late.
        liveness_probe=_probe("/livez", period=10, failures=6),
        security_context=core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            privileged=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            run_as_user=USER_ID,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
        volume_mounts=[
            core.v1.VolumeMountArgs(name=KEYS_VOLUME, mount_path=KEY_FOLDER, read_only=True),
            core.v1.VolumeMountArgs(name=TEMPORARY_VOLUME, mount_path="/tmp"),  # noqa: S108
            *([token_mount()] if _has_own_token(settings, name) else []),
        ],
    )


def _has_own_token(settings: Settings, name: WorkloadName) -> bool:
    return name == "web" and is_federated(settings)


def _probe(path: str, *, period: int, failures: int) -> core.v1.ProbeArgs:
    return core.v1.ProbeArgs(
        http_get=core.v1.HTTPGetActionArgs(path=path, port=API_PORT_NAME, scheme="HTTP"),
        period_seconds=period,
        timeout_seconds=2,
        failure_threshold=failures,
    )


def _resources(settings: Settings, name: WorkloadName) -> core.v1.ResourceRequirementsArgs:
    """Requests and limits are equal: latency is promised, so nothing is borrowed."""
    workload = settings_of(settings, name)
    amounts = {
        "cpu": f"{workload.cpu_millicores}m",
        "memory": f"{workload.memory_mib}Mi",
        "ephemeral-storage": DISK,
    }
    if pool_of(settings, name) == "gpu":
        amounts[GPU_RESOURCE] = "1"
    return core.v1.ResourceRequirementsArgs(requests=amounts, limits=amounts)


def _tolerations(settings: Settings, name: WorkloadName) -> list[core.v1.TolerationArgs]:
    kind = pool_of(settings, name)
    pool = settings.cluster.gpu_pool if kind == "gpu" else settings.cluster.cpu_pool
    taints = [(GPU_TAINT_KEY, GPU_TAINT_VALUE)] if kind == "gpu" else []
    # A stack of services alone knows the pool only as far as its own settings repeat it.
    if pool is not None and pool.spot:
        taints.append((SPOT_TAINT_KEY, SPOT_TAINT_VALUE))
    return [
        core.v1.TolerationArgs(key=key, operator="Equal", value=value, effect="NoSchedule")
        for key, value in taints
    ]


def _spread(name: WorkloadName, topology: str) -> core.v1.TopologySpreadConstraintArgs:
    """One more pod here than there at most, if it can be helped.

    Not `DoNotSchedule`: the autoscaler cannot choose the zone of a pool's next node, and pods
    would wait for one that never comes.
    """
    return core.v1.TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key=topology,
        when_unsatisfiable="ScheduleAnyway",
        label_selector=meta.v1.LabelSelectorArgs(match_labels=selector(name)),
        # Each version spreads by itself, or the old pods of a rollout would push the new together.
        match_label_keys=["pod-template-hash"],
    )
