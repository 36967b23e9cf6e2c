"""Kubeconfigs that sign in without asking anybody.

AKS hands out a kubeconfig that asks for a device code, which no pipeline can type. kubelogin has
other ways (learn.microsoft.com/azure/aks/kubelogin-authentication).
"""

from __future__ import annotations

from typing import Any, cast

import yaml

from infra.sections.access import AccessSettings

AKS_SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The Entra application of every AKS cluster's API server."""


class NoKubeconfig(ValueError):
    """What the cluster handed out is no kubeconfig; its text is secret and is not repeated."""

    def __init__(self) -> None:
        super().__init__("the cluster handed out something that is not a kubeconfig")


def without_questions(kubeconfig: str, access: AccessSettings, tenant_id: str | None) -> str:
    """The kubeconfig with kubelogin's non-interactive way in, as the settings choose it.

    A kubeconfig whose users sign in otherwise (a certificate, say) comes back as it is.

    Args:
        kubeconfig: as AKS hands it out in the format ``exec``.
        access: says how to sign in.
        tenant_id: the Entra tenant.

    Raises:
        NoKubeconfig: when it is none.
    """
    try:
        document: object = yaml.safe_load(kubeconfig)
    except yaml.YAMLError:
        # Without the cause: its message quotes the text.
        raise NoKubeconfig from None
    users = [user for user in _users(document) if isinstance(user.get("exec"), dict)]
    if not users:
        return kubeconfig
    for user in users:
        user["exec"] = _kubelogin(user["exec"], access, tenant_id)
    return yaml.safe_dump(document, sort_keys=True)


def _users(document: object) -> list[dict[str, Any]]:
    """The users' sections, by reference."""
    if not isinstance(document, dict):
        raise NoKubeconfig
    config = cast("dict[str, Any]", document)
    try:
        return [entry["user"] for entry in config["users"] if isinstance(entry["user"], dict)]
    except (KeyError, TypeError):
        raise NoKubeconfig from None


def _kubelogin(
    asked: dict[str, Any], access: AccessSettings, tenant_id: str | None
) -> dict[str, Any]:
    """kubelogin reads the rest (client id, token file, secret) from its environment."""
    return {
        "apiVersion": asked.get("apiVersion", "client.authentication.k8s.io/v1beta1"),
        "command": "kubelogin",
        "args": [
            "get-token",
            "--login", access.sign_in,
            "--server-id", AKS_SERVER_ID,
            *([] if tenant_id is None else ["--tenant-id", tenant_id]),
        ],
        "env": None,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }  # fmt: skip
