"""One workload as a container on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.docker.local_keys import LocalKeys
from infra.kubernetes.environment import environment
from infra.kubernetes.key_file import KEY_FOLDER
from infra.kubernetes.places import API_PORT
from infra.kubernetes.pod import STARTUP_SECONDS, USER_ID
from infra.settings import Settings
from infra.workload import WorkloadName, services_of, settings_of

LOOPBACK = "127.0.0.1"
PORTS: dict[WorkloadName, int] = {"faq": 8081, "resnet": 8082, "web": 8080}
"""On this machine, as `make demo` has them."""

TMPFS = "rw,noexec,nosuid,nodev,size=64m,mode=1777"


@dataclass(frozen=True)
class LocalServiceArgs:
    """Arguments of :class:`LocalService`.

    Attributes:
        settings: the stack's.
        workload: which workload.
        image: its id.
        network_name: of the network on which the containers find one another.
        keys: the volume with the key files.
    """

    settings: Settings
    workload: WorkloadName
    image: pulumi.Input[str]
    network_name: pulumi.Input[str]
    keys: LocalKeys


class LocalService(pulumi.ComponentResource):
    """A container with the limits and the walls that the workload's pods have.

    Attributes:
        url: where this machine, and no other, reaches it.
    """

    url: pulumi.Output[str]

    def __init__(
        self, name: str, args: LocalServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:docker:LocalService", name, None, opts)
        workload = settings_of(args.settings, args.workload)
        port = PORTS[args.workload]
        container = docker.Container(
            f"{name}-container",
            name=host_name(args.settings, args.workload),
            image=args.image,
            envs=_variables(args),
            # By its mode: `networks_advanced` would join the default bridge first.
            network_mode=args.network_name,
            ports=[docker.ContainerPortArgs(internal=API_PORT, external=port, ip=LOOPBACK)],
            user=f"{USER_ID}:{USER_ID}",
            read_only=True,
            tmpfs={"/tmp": TMPFS},  # noqa: S108 - in the container
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            memory=workload.memory_mib,
            # As much as memory: no swap, as on the cluster's nodes.
            memory_swap=workload.memory_mib,
            cpus=f"{workload.cpu_millicores / 1000:g}",
            volumes=[
                docker.ContainerVolumeArgs(
                    volume_name=args.keys.volume_name, container_path=KEY_FOLDER, read_only=True
                )
            ],
            restart="unless-stopped",
            stop_timeout=workload.drain_seconds + workload.stop_seconds,
            destroy_grace_seconds=workload.drain_seconds + workload.stop_seconds,
            healthcheck=_is_ready(),
            wait=True,
            wait_timeout=STARTUP_SECONDS[args.workload],
            # Both would want the same name and the same port.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[args.keys.ready], delete_before_replace=True
            ),
        )
        # Known when the container is ready, and not before.
        self.url = pulumi.Output.concat(container.id.apply(_nothing), f"http://{LOOPBACK}:{port}")
        self.register_outputs({"url": self.url})


def host_name(settings: Settings, workload: WorkloadName) -> str:
    """Under which name the other containers find a workload's."""
    return f"{settings.name}-{workload}"


def _variables(args: LocalServiceArgs) -> list[str]:
    settings = args.settings
    hosts: dict[WorkloadName, str] = {
        service: host_name(settings, service) for service in services_of(settings)
    }
    variables = environment(settings, args.workload, hosts)
    return [f"{key}={value}" for key, value in variables.items()]


def _is_ready() -> docker.ContainerHealthcheckArgs:
    ask = f"import urllib.request as r; r.urlopen('http://{LOOPBACK}:{API_PORT}/readyz', timeout=2)"
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", "python", "-c", ask],
        interval="5s",
        timeout="5s",
        retries=3,
        start_period="60s",
    )


def _nothing(_id: str) -> str:
    return ""
