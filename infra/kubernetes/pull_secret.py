"""The right to pull images from Docker Hub."""

from __future__ import annotations

import base64
import json

import pulumi
from pulumi_kubernetes import core

from infra.kubernetes.object_meta import object_meta
from infra.sections.registry import DockerHubSettings

HUB = "https://index.docker.io/v1/"
"""The name under which the kubelet looks for Docker Hub's credentials."""
NAME = "docker-hub"


def declare_pull_secret(
    name: str,
    hub: DockerHubSettings,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The Secret with the account's token; its name is for the pods' `imagePullSecrets`.

    Only Docker Hub needs it: from Azure's registry the nodes pull as their own identity.
    """
    secret = core.v1.Secret(
        name,
        metadata=object_meta(NAME, namespace),
        type="kubernetes.io/dockerconfigjson",
        immutable=False,
        string_data={".dockerconfigjson": pulumi.Output.secret(docker_config(hub))},
        opts=opts,
    )
    return secret.metadata["name"]


def docker_config(hub: DockerHubSettings) -> str:
    """The account, as `docker login` would write it."""
    token = hub.token.get_secret_value()
    pair = base64.b64encode(f"{hub.username}:{token}".encode()).decode()
    entry = {"username": hub.username, "password": token, "auth": pair}
    return json.dumps({"auths": {HUB: entry}})
