"""The local layer: the workloads as containers on this machine, without any cloud."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from infra.docker.local_keys import LocalKeys, LocalKeysArgs
from infra.docker.local_service import LocalService, LocalServiceArgs
from infra.images import ServiceImages, ServiceImagesArgs
from infra.settings import Settings


def declare_local(settings: Settings) -> None:
    """Declare images, network, key files and a container of every enabled workload.

    The engine is the one that `docker` on this machine talks to.
    """
    images = ServiceImages("images", ServiceImagesArgs(settings, registry_login_server=None))
    if not images.references:
        return
    opts = pulumi.ResourceOptions(provider=docker.Provider("docker"))
    network = docker.Network("network", name=settings.name, driver="bridge", opts=opts)
    keys = LocalKeys(
        "keys", LocalKeysArgs(settings, image=next(iter(images.references.values()))), opts
    )
    for workload, image in images.references.items():
        service = LocalService(
            workload,
            LocalServiceArgs(
                settings,
                workload,
                image=image,
                network_name=network.name,
                keys=keys,
            ),
            opts,
        )
        pulumi.export(f"{workload}_url", service.url)
