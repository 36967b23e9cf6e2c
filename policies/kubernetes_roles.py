"""Rules on who may do what in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.reading import UNKNOWN, at, items, text
from policies.rule import AnyRule, Resource, ResourceRule
from policies.sources import kubernetes, kubescape

GROUP = "kubernetes:rbac.authorization.k8s.io/v1"
ROLES = (f"{GROUP}:Role", f"{GROUP}:ClusterRole")
BINDINGS = (f"{GROUP}:RoleBinding", f"{GROUP}:ClusterRoleBinding")
MIGHTY_VERBS = ("impersonate", "escalate", "bind")
MIGHTY_ROLES = ("cluster-admin", "admin")
MIGHTY_PARTS = ("exec", "attach", "portforward", "ephemeralcontainers", "proxy", "token")
"""Of pods, nodes, services or service accounts, and of `*`, which stands for any of them."""
EVERYBODY = (
    "system:masters", "system:authenticated", "system:unauthenticated", "system:anonymous",
    "system:serviceaccounts",
)  # fmt: skip
EVERY_ACCOUNT_OF = "system:serviceaccounts:"
"""With a namespace behind it, the group of all accounts there, also of those yet to come."""
READING = ("get", "list", "watch", "*")
GOOD_PRACTICE = kubernetes("RBAC good practices", "concepts/security/rbac-good-practices")


def _wildcards(role: Resource) -> Iterator[str]:
    for rule in items(role.at("rules")):
        for key in ("verbs", "resources", "apiGroups"):
            if "*" in items(at(rule, key)):
                yield f"{key} holds *"


def _secrets(role: Resource) -> Iterator[str]:
    for rule in items(role.at("rules")):
        reads = [verb for verb in items(at(rule, "verbs")) if verb in READING]
        if "secrets" in items(at(rule, "resources")) and reads:
            yield f"secrets may be read: {', '.join(map(str, reads))}"


def _mighty(role: Resource) -> Iterator[str]:
    for rule in items(role.at("rules")):
        for verb in items(at(rule, "verbs")):
            if verb in MIGHTY_VERBS:
                yield f"verbs hold {verb}, by which any other right can be had"
        for resource in items(at(rule, "resources")):
            _, slash, part = text(resource).partition("/")
            if slash and part in MIGHTY_PARTS:
                yield f"resources hold {resource}"


def _modest_binding(binding: Resource) -> Iterator[str]:
    role = binding.at("roleRef", "name")
    if role in MIGHTY_ROLES:
        yield f"it binds {text(role)}"


def _somebody(binding: Resource) -> Iterator[str]:
    subjects = binding.at("subjects")
    if subjects is not UNKNOWN and not items(subjects):
        yield "it binds nobody"
    for subject in items(subjects):
        name = text(at(subject, "name"))
        if name in EVERYBODY or name.startswith(EVERY_ACCOUNT_OF):
            yield f"subjects hold {name}"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="role-no-wildcard", types=ROLES,
        description="A role names its verbs and resources",
        severity=Severity.HIGH,
        remediation="List verbs, resources and API groups one by one",
        sources=(kubescape("C-0187"), GOOD_PRACTICE),
        check=_wildcards,
    ),
    ResourceRule(
        name="role-no-secrets", types=ROLES,
        description="Nobody reads secrets through a role of the stack",
        severity=Severity.HIGH,
        remediation="Remove secrets from the role's resources",
        sources=(kubescape("C-0186"), GOOD_PRACTICE),
        check=_secrets,
    ),
    ResourceRule(
        name="role-no-detour", types=ROLES,
        description="No role lets anybody gain more rights, or a shell in a pod",
        severity=Severity.HIGH,
        remediation="Remove the verb or the resource",
        sources=(kubescape("C-0188"), GOOD_PRACTICE),
        check=_mighty,
    ),
    ResourceRule(
        name="binding-modest", types=BINDINGS,
        description="Nobody is bound to cluster-admin",
        severity=Severity.CRITICAL,
        remediation="Bind the narrowest role; administrators have theirs from Azure",
        sources=(kubescape("C-0185"),),
        check=_modest_binding,
    ),
    ResourceRule(
        name="binding-names-somebody", types=BINDINGS,
        description="A binding is for named users and groups, never for everybody",
        severity=Severity.CRITICAL,
        remediation="Name Entra groups by their object id",
        sources=(GOOD_PRACTICE,),
        check=_somebody,
    ),
)  # fmt: skip
