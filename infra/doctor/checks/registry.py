"""Whether the registry lets images in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import requests

from infra.doctor.answers import Grant
from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok, unknown, warning
from infra.doctor.needs import Needs
from infra.settings import Settings

PUSH = "Microsoft.ContainerRegistry/registries/push/write"
PULL = "Microsoft.ContainerRegistry/registries/pull/read"
HUB_TOKEN = "DOCKER_HUB_TOKEN"  # noqa: S105 - a variable's name
HUB_SIGN_IN = "https://auth.docker.io/token"
HUB_LIMITS = "https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest"
"""Answers with the limits, and counts as no pull (docs.docker.com/docker-hub/usage/pulls)."""
SECONDS = 15


def look_at_registry(
    settings: Settings,
    needs: Needs,
    azure: Azure,
    environment: Mapping[str, str],
    hub: tuple[str, str] = (HUB_SIGN_IN, HUB_LIMITS),
) -> Iterator[Finding]:
    """Rights on Azure's registry, or sign-in and limits at Docker Hub."""
    if settings.registry.kind == "docker_hub":
        yield from _hub(settings, needs, environment.get(HUB_TOKEN), *hub)
    else:
        yield from _acr(settings, needs, azure)


def _acr(settings: Settings, needs: Needs, azure: Azure) -> Iterator[Finding]:
    existing = settings.registry.acr.existing_id
    scope = existing or f"/subscriptions/{azure.subscription_id}"
    if existing is not None:
        # /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/…/registries/NAME
        parts = existing.split("/")
        if not azure.of(parts[2]).has_registry(parts[4], parts[-1]):
            yield failed(
                parts[-1],
                f"is not in resource group {parts[4]}",
                f"az acr list --subscription {parts[2]} --query '[].id' --output tsv",
            )
            return
    if not needs.builds_images:
        yield ok("push", "not needed: the images were built before")
        return
    grants = azure.grants(scope) or ()
    yield from _right("push", PUSH, "AcrPush", grants, scope)
    if existing is not None:
        yield from _right("pull", PULL, "AcrPull", grants, scope)
    if settings.registry.acr.private:
        yield warning(
            "reach",
            "the registry is private: images can be pushed from inside its network only",
            "run `pulumi up` on a machine in the network or a peered one (docs/operations.md)",
        )


def _right(
    subject: str, action: str, role: str, grants: tuple[Grant, ...], scope: str
) -> Iterator[Finding]:
    if any(grant.allows(action) for grant in grants):
        yield ok(subject, "is allowed")
    else:
        yield failed(
            subject,
            f"not allowed: {action}",
            f"az role assignment create --assignee YOU --role {role} --scope {scope}",
        )


def _hub(
    settings: Settings, needs: Needs, token: str | None, sign_in: str, limits: str
) -> Iterator[Finding]:
    hub = settings.registry.docker_hub
    if hub is None:
        return
    try:
        if token is None:
            yield unknown(
                f"sign-in as {hub.username}",
                "the stack's token is encrypted, and only `pulumi` can read it",
                f"{HUB_TOKEN}=$(pulumi config get --path registry.docker_hub.token) make doctor",
            )
        else:
            yield _signed_in(hub.username, hub.namespace, token, needs, sign_in)
        yield _limits(hub.username, token, sign_in, limits)
    except requests.RequestException:
        yield unknown("Docker Hub", "cannot be reached from here", "check network and proxy")


def _signed_in(username: str, namespace: str, token: str, needs: Needs, sign_in: str) -> Finding:
    """Docker Hub grants fewer rights than asked for rather than refuse; a wrong token it refuses."""
    rights = "pull,push" if needs.builds_images else "pull"
    answer = requests.get(
        sign_in,
        params={"service": "registry.docker.io", "scope": f"repository:{namespace}/faq:{rights}"},
        auth=(username, token),
        timeout=SECONDS,
    )
    subject = f"sign-in as {username}"
    if answer.status_code == 401:
        return failed(
            subject,
            "Docker Hub refuses the token",
            "make one at app.docker.com/settings/personal-access-tokens, then "
            "pulumi config set --secret --path registry.docker_hub.token",
        )
    if answer.status_code != 200:
        return unknown(subject, f"Docker Hub answered {answer.status_code}", "try again")
    return ok(subject, "is accepted")


def _limits(username: str, token: str | None, sign_in: str, limits: str) -> Finding:
    asked = requests.get(
        sign_in,
        params={
            "service": "registry.docker.io",
            "scope": "repository:ratelimitpreview/test:pull",
        },
        auth=(username, token) if token else None,
        timeout=SECONDS,
    )
    bearer = asked.json().get("token", "") if asked.status_code == 200 else ""
    answer = requests.head(limits, headers={"Authorization": f"Bearer {bearer}"}, timeout=SECONDS)
    whose = username if token else "this address, without sign-in"
    left = answer.headers.get("ratelimit-remaining", "").partition(";")[0]
    limit = answer.headers.get("ratelimit-limit", "").partition(";")[0]
    subject = "pulls from Docker Hub"
    if answer.status_code == 429 or left == "0":
        return warning(subject, f"{whose} has none left for now", "wait, or docker login")
    if not left:
        # Accounts with a subscription have no limit, and no such header.
        return ok(subject, f"no limit for {whose}")
    return ok(subject, f"{left} of {limit} left for {whose}")
