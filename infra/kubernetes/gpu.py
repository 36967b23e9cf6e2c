"""NVIDIA's device plugin, which offers the GPUs of a node to its pods.

AKS installs the driver; the plugin is the stack's own, because the plugin that AKS manages is a
preview without the cluster autoscaler (learn.microsoft.com/azure/aks/use-nvidia-gpu).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.namespaces import Namespaces
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import NAME_LABEL
from infra.scheduling import (
    GPU_RESOURCE,
    GPU_TAINT_KEY,
    GPU_TAINT_VALUE,
    POOL_LABEL,
    SPOT_TAINT_KEY,
    SPOT_TAINT_VALUE,
)

if TYPE_CHECKING:
    from infra.sections.node_pools import GpuPoolSettings

core = kubernetes.core.v1

IMAGE = "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"
"""By tag, as AKS' documentation names it: the registry publishes no digest beside it."""
PLUGIN_NAME = "nvidia-device-plugin"
SOCKETS = "/var/lib/kubelet/device-plugins"
CONFIG_FOLDER = "/config"
CONFIG_FILE = "config.yaml"


@dataclass(frozen=True)
class GpuDevicePluginArgs:
    """What the plugin depends on.

    Attributes:
        pool: the GPU pool, where the stack's settings know it.
        namespaces: with one for what needs a node's devices.
    """

    pool: GpuPoolSettings | None
    namespaces: Namespaces


class GpuDevicePlugin(pulumi.ComponentResource):
    """The plugin on every GPU node."""

    def __init__(
        self, name: str, args: GpuDevicePluginArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:GpuDevicePlugin", name, None, opts)
        namespace = args.namespaces.gpu
        if namespace is None:
            raise ValueError("the device plugin needs a namespace, which only a GPU service has")
        pool = args.pool
        config = time_slicing(pool.time_slices) if pool and pool.time_slices > 1 else None
        if config is not None:
            core.ConfigMap(
                f"{name}-config",
                metadata=object_meta(PLUGIN_NAME, namespace),
                data={CONFIG_FILE: config},
                opts=pulumi.ResourceOptions(parent=self),
            )
        selector = {NAME_LABEL: PLUGIN_NAME}
        plugin = kubernetes.apps.v1.DaemonSet(
            f"{name}-plugin",
            metadata=object_meta(PLUGIN_NAME, namespace, labels=selector),
            spec=kubernetes.apps.v1.DaemonSetSpecArgs(
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=selector),
                update_strategy=kubernetes.apps.v1.DaemonSetUpdateStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=kubernetes.apps.v1.RollingUpdateDaemonSetArgs(max_unavailable=1),
                ),
                template=core.PodTemplateSpecArgs(
                    metadata=_pod_meta(selector, config), spec=_pod(pool, config)
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"daemonSet": plugin.id, "image": IMAGE})


def time_slicing(slices: int) -> str:
    """The plugin's configuration that offers each GPU several times.

    A pod may not ask for more than one turn: two would not be twice as fast
    (github.com/NVIDIA/k8s-device-plugin#with-cuda-time-slicing).
    """
    sharing = {
        "timeSlicing": {
            "failRequestsGreaterThanOne": True,
            "resources": [{"name": GPU_RESOURCE, "replicas": slices}],
        }
    }
    return json.dumps({"version": "v1", "sharing": sharing}, indent=2) + "\n"


def _pod_meta(labels: dict[str, str], config: str | None) -> kubernetes.meta.v1.ObjectMetaArgs:
    """With the configuration's hash, so that the pods start again when it changes."""
    annotations: dict[str, str] = {}
    if config is not None:
        digest = hashlib.sha256(config.encode()).hexdigest()
        annotations["realtime-scoring.io/config-sha256"] = digest
    return kubernetes.meta.v1.ObjectMetaArgs(labels=labels, annotations=annotations)


def _pod(pool: GpuPoolSettings | None, config: str | None) -> kubernetes.core.v1.PodSpecArgs:
    volumes = [
        core.VolumeArgs(
            name="sockets",
            host_path=core.HostPathVolumeSourceArgs(path=SOCKETS, type="Directory"),
        )
    ]
    if config is not None:
        volumes.append(
            core.VolumeArgs(
                name="config", config_map=core.ConfigMapVolumeSourceArgs(name=PLUGIN_NAME)
            )
        )
    return core.PodSpecArgs(
        priority_class_name="system-node-critical",
        node_selector={POOL_LABEL: "gpu"},
        tolerations=[
            _tolerate(GPU_TAINT_KEY, GPU_TAINT_VALUE),
            # Harmless on other nodes, and a split stack may not know what its nodes are.
            _tolerate(SPOT_TAINT_KEY, SPOT_TAINT_VALUE),
        ],
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=core.PodSecurityContextArgs(
            seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault")
        ),
        containers=[_container(pool, config)],
        volumes=volumes,
    )


def _container(
    pool: GpuPoolSettings | None, config: str | None
) -> kubernetes.core.v1.ContainerArgs:
    mig = pool is not None and pool.mig_profile is not None
    environment = {
        # Ends the pod where no driver answers yet, so that the kubelet tries again; the other
        # setting would wait for ever.
        "FAIL_ON_INIT_ERROR": "true",
        "NVIDIA_VISIBLE_DEVICES": "all",
        "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
        "MIG_STRATEGY": "single" if mig else "none",
    }
    mounts = [core.VolumeMountArgs(name="sockets", mount_path=SOCKETS)]
    if mig:
        environment["NVIDIA_MIG_MONITOR_DEVICES"] = "all"
    if config is not None:
        environment["CONFIG_FILE"] = f"{CONFIG_FOLDER}/{CONFIG_FILE}"
        mounts.append(core.VolumeMountArgs(name="config", mount_path=CONFIG_FOLDER, read_only=True))
    return core.ContainerArgs(
        name=PLUGIN_NAME,
        image=IMAGE,
        env=[core.EnvVarArgs(name=key, value=value) for key, value in environment.items()],
        resources=core.ResourceRequirementsArgs(
            requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "128Mi"}
        ),
        security_context=_security(mig),
        volume_mounts=mounts,
    )


def _security(mig: bool) -> kubernetes.core.v1.SecurityContextArgs:
    """Root, which owns the kubelet's sockets, and nothing more.

    Only to see the instances of a GPU the plugin needs SYS_ADMIN, as its own chart grants it.
    """
    if mig:
        return core.SecurityContextArgs(
            read_only_root_filesystem=True,
            capabilities=core.CapabilitiesArgs(drop=["ALL"], add=["SYS_ADMIN"]),
        )
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )


def _tolerate(key: str, value: str) -> kubernetes.core.v1.TolerationArgs:
    return core.TolerationArgs(key=key, operator="Equal", value=value, effect="NoSchedule")
