"""The key files of the local stack, in a Docker volume."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from infra.kubernetes.key_file import (
    KEY_FILE,
    KEY_FOLDER,
    WEB_KEY_FILE,
    key_file,
    web_api_key,
)
from infra.settings import Settings


@dataclass(frozen=True)
class LocalKeysArgs:
    """Arguments of :class:`LocalKeys`.

    Attributes:
        settings: the stack's.
        image: any; nothing of it ever runs.
    """

    settings: Settings
    image: pulumi.Input[str]


class LocalKeys(pulumi.ComponentResource):
    """A volume with the key files in it.

    Docker uploads files into a container, and refuses where its root is read-only, as the
    services' roots are. So the upload goes to the volume by way of a container that mounts it and
    is never started.

    Attributes:
        volume_name: the volume's name.
        ready: what the files come with; to depend on, but not by a property: a changed key would
            make the services' containers anew, which read it again by themselves.
    """

    volume_name: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self, name: str, args: LocalKeysArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:docker:LocalKeys", name, None, opts)
        prefix = args.settings.name
        volume = docker.Volume(
            f"{name}-volume",
            name=f"{prefix}-keys",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ready = docker.Container(
            f"{name}-files",
            name=f"{prefix}-keys",
            image=args.image,
            start=False,
            must_run=False,
            uploads=_uploads(args.settings),
            volumes=[
                docker.ContainerVolumeArgs(volume_name=volume.name, container_path=KEY_FOLDER)
            ],
            # The old one has the name, and lets go of the volume.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.volume_name = volume.name
        self.register_outputs({"volumeName": self.volume_name})


def _uploads(settings: Settings) -> list[docker.ContainerUploadArgs]:
    files = {KEY_FILE: key_file(settings)}
    if (key := web_api_key(settings)) is not None:
        files[WEB_KEY_FILE] = key
    return [
        docker.ContainerUploadArgs(
            file=f"{KEY_FOLDER}/{file}",
            content=pulumi.Output.secret(content),
            # The services' user is not root, and no other is in their containers.
            permissions="0444",
        )
        for file, content in files.items()
    ]
