"""Who is signed in, to which subscription, with what rights and resource providers."""

from __future__ import annotations

from collections.abc import Iterator

from infra.doctor.answers import Grant
from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok, unknown, warning
from infra.doctor.needs import Needs
from infra.doctor.reasons import reason_of
from infra.settings import Settings

MOST_NAMED = 6
"""Missing actions that are named one by one."""


def is_made_up(guid: str | None) -> bool:
    """Whether an id is one digit all over, as those of the committed stack files are."""
    return guid is not None and len(set(guid.replace("-", ""))) == 1


def look_at_ids(settings: Settings) -> Iterator[Finding]:
    """Whether the stack file has ids of its own."""
    for key in ("subscription_id", "tenant_id"):
        if is_made_up(getattr(settings, key)):
            show = "id" if key == "subscription_id" else "tenantId"
            yield failed(
                key,
                "the stack file holds a made-up id",
                f"pulumi config set {key} $(az account show --query {show} -o tsv)",
            )
        else:
            yield ok(key, str(getattr(settings, key)))


def look_at_sign_in(settings: Settings, azure: Azure) -> Iterator[Finding]:
    """Whether somebody is signed in, to the stack's tenant.

    Raises:
        NotSignedIn: when nobody is.
    """
    identity = azure.identity()
    if identity.tenant_id is not None and identity.tenant_id != settings.tenant_id:
        yield failed(
            "tenant",
            f"{identity.name} is signed in to tenant {identity.tenant_id}, the stack is in "
            f"{settings.tenant_id}",
            f"az login --tenant {settings.tenant_id}",
        )
    else:
        yield ok("signed in", identity.name)


def look_at_subscription(settings: Settings, azure: Azure) -> Iterator[Finding]:
    """Whether the subscription is there, enabled, and of the stack's tenant."""
    from azure.core.exceptions import ResourceNotFoundError

    show = "az account list --output table"
    try:
        found = azure.subscription()
    except ResourceNotFoundError:
        yield failed(
            "subscription",
            f"{azure.subscription_id} is not there, or not for whoever is signed in",
            f"{show}, then pulumi config set subscription_id …",
        )
        return
    if found.state != "Enabled":
        yield failed(
            "subscription",
            f"{found.name} is {found.state}: nothing can be made in it",
            "re-enable it in the portal (Subscriptions), or choose another: " + show,
        )
    elif found.tenant_id is not None and found.tenant_id != settings.tenant_id:
        yield failed(
            "tenant",
            f"{found.name} is in tenant {found.tenant_id}, the stack says {settings.tenant_id}",
            f"pulumi config set tenant_id {found.tenant_id}",
        )
    else:
        yield ok("subscription", f"{found.name}, {found.state.lower()}")


def look_at_permissions(needs: Needs, azure: Azure) -> Iterator[Finding]:
    """Whether all that the program does is allowed, scope by scope."""
    for scope, actions in needs.actions.items():
        shown = scope.removeprefix(f"/subscriptions/{needs.subscription_id}/") or scope
        shown = "subscription" if shown == scope and "/resourceGroups/" not in scope else shown
        try:
            grants = _grants(azure, needs, scope)
        except Exception as error:  # noqa: BLE001 - the other scopes are looked at all the same
            reason = reason_of(error)
            yield unknown(shown, reason.why, reason.remedy)
            continue
        if grants is None:
            yield failed(
                shown,
                "the resource group is not there",
                f"az group show --subscription {scope.split('/')[2]} --name {scope.split('/')[4]}",
            )
            continue
        yield _permission(shown, scope, actions, grants)


def _grants(azure: Azure, needs: Needs, scope: str) -> tuple[Grant, ...] | None:
    grants = azure.grants(scope)
    if grants is None and scope.endswith(f"/resourceGroups/{needs.resource_group}"):
        # The stack makes it: rights come down from the subscription.
        return azure.grants(f"/subscriptions/{needs.subscription_id}")
    return grants


def _permission(
    shown: str, scope: str, actions: tuple[str, ...], grants: tuple[Grant, ...]
) -> Finding:
    missing = [action for action in actions if not any(grant.allows(action) for grant in grants)]
    if not missing:
        return ok(shown, f"allowed: {len(actions)} of {len(actions)} actions")
    named = ", ".join(missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return failed(
        shown,
        f"not allowed: {named}{more}",
        f'ask for {_roles(missing)}: az role assignment create --assignee YOU --role "…" '
        f"--scope {scope}",
    )


def _roles(missing: list[str]) -> str:
    """Built-in roles that hold the actions; Contributor has all but those of Authorization."""
    roles: list[str] = []
    if any(not action.startswith("Microsoft.Authorization/") for action in missing):
        roles.append("Contributor")
    kinds = {action.split("/")[1] for action in missing if "Microsoft.Authorization/" in action}
    if kinds - {"policyAssignments"}:
        roles.append("User Access Administrator")
    if "policyAssignments" in kinds:
        roles.append("Resource Policy Contributor")
    return " and ".join(roles)


def look_at_providers(needs: Needs, azure: Azure) -> Iterator[Finding]:
    """Whether the resource providers that the program needs are registered."""
    states = azure.provider_states()
    missing: list[str] = []
    under_way: list[str] = []
    for provider in needs.providers:
        state = states.get(provider.lower(), "NotRegistered")
        if state == "Registering":
            under_way.append(provider)
        elif state != "Registered":
            missing.append(provider)
    registered = len(needs.providers) - len(missing) - len(under_way)
    yield ok("registered", f"{registered} of {len(needs.providers)}")
    for provider in under_way:
        yield warning(
            provider,
            "is being registered",
            f"az provider show -n {provider} --query registrationState",
        )
    for provider in missing:
        yield failed(
            provider,
            "is not registered",
            f"az provider register --namespace {provider} --wait "
            f"--subscription {azure.subscription_id}",
        )
