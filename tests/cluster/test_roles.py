"""What the stack's roles allow, asked of Kubernetes' own authoriser over everything there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.kubernetes.places import SERVICES_NAMESPACE
from infra.planning.manifests import kubernetes_objects
from tests.cluster.api import Api, Refused
from tests.cluster.deployed_stack import DeployedStack, stack_on
from tests.infra.plans import NAMES, recording_of

OPERATORS = "44444444-4444-4444-4444-444444444444"
READERS = "55555555-5555-5555-5555-555555555555"
ADA = "ada@example.org"
GUEST = "88888888-7777-7777-7777-777777777777"

OWN_RIGHTS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LOOKING = ("get", "list", "watch")
CHANGING = ("create", "update", "patch", "delete", "deletecollection")
SPECIAL = (
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
    ("", "serviceaccounts", "impersonate"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("certificates.k8s.io", "certificatesigningrequests", "approve"),
)
NOT_BY_READERS = (
    "secrets",
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/proxy",
    "nodes/proxy",
)

OPERATIONS = {
    ("patch", "apps", "deployments"),
    ("get", "apps", "deployments/scale"),
    ("update", "apps", "deployments/scale"),
    ("patch", "apps", "deployments/scale"),
    ("patch", "autoscaling", "horizontalpodautoscalers"),
    ("patch", "keda.sh", "scaledobjects"),
    ("delete", "", "pods"),
}
"""All that operators may change: scale, restart, and delete a pod that hangs."""

SEEN_IN_A_NAMESPACE = {
    ("", name)
    for name in (
        "configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods",
        "pods/log", "pods/status", "resourcequotas", "serviceaccounts", "services",
    )
} | {
    ("apps", "daemonsets"), ("apps", "deployments"), ("apps", "replicasets"),
    ("apps", "statefulsets"), ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "cronjobs"), ("batch", "jobs"), ("cert-manager.io", "certificaterequests"),
    ("cert-manager.io", "certificates"), ("cert-manager.io", "issuers"),
    ("discovery.k8s.io", "endpointslices"), ("events.k8s.io", "events"),
    ("gateway.envoyproxy.io", "backendtrafficpolicies"),
    ("gateway.envoyproxy.io", "clienttrafficpolicies"),
    ("gateway.envoyproxy.io", "envoyproxies"), ("gateway.envoyproxy.io", "securitypolicies"),
    ("gateway.networking.k8s.io", "gateways"), ("gateway.networking.k8s.io", "httproutes"),
    ("keda.sh", "scaledobjects"), ("keda.sh", "triggerauthentications"),
    ("metrics.k8s.io", "pods"), ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
}  # fmt: skip
SEEN_IN_THE_CLUSTER = {
    ("", "namespaces"), ("", "nodes"), ("", "persistentvolumes"),
    ("gateway.networking.k8s.io", "gatewayclasses"), ("metrics.k8s.io", "nodes"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"), ("rbac.authorization.k8s.io", "roles"),
    ("scheduling.k8s.io", "priorityclasses"), ("storage.k8s.io", "storageclasses"),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    user: str
    groups: tuple[str, ...] = ()


OPERATOR = Person("somebody@example.org", (OPERATORS,))
READER = Person("somebody@example.org", (READERS,))
NOBODY = Person("somebody@example.org", ("99999999-9999-9999-9999-999999999999",))


@pytest.fixture(scope="module")
def stack(api: Api) -> Iterator[DeployedStack]:
    """The stack that has every role: groups, a person of the tenant, and a guest."""
    stack = stack_on(api, "everything-on")
    try:
        stack.apply()
        yield stack
    finally:
        stack.remove()


def allowed(api: Api, who: Person, namespace: str | None) -> set[tuple[str, str, str]]:
    """Every verb on every resource that the API server knows, of those that are allowed.

    Asked as the person themselves, by impersonation, as `kubectl auth can-i --as` does.
    """
    found: set[tuple[str, str, str]] = set()
    person = api.acting_as(who.user, *who.groups)
    for group, resource, verb in everything(api):
        attributes = {"verb": verb, "group": group}
        attributes["resource"], _, attributes["subresource"] = resource.partition("/")
        if namespace is not None:
            attributes["namespace"] = namespace
        review = person.request(
            "POST", OWN_RIGHTS, json={"spec": {"resourceAttributes": attributes}}
        )
        if review["status"]["allowed"]:
            found.add((verb, group, resource))
    return found


def everything(api: Api) -> Iterator[tuple[str, str, str]]:
    """Group, resource and verb, for all resources with all verbs, and what is special."""
    roots = ["/api/v1"]
    roots += [f"/apis/{g['preferredVersion']['groupVersion']}" for g in api.get("/apis")["groups"]]
    for root in roots:
        group = root.split("/")[2] if root.startswith("/apis") else ""
        for resource in api.get(root)["resources"]:
            for verb in (*LOOKING, *CHANGING):
                yield group, resource["name"], verb
    yield "metrics.k8s.io", "nodes", "list"
    yield from SPECIAL


@pytest.fixture(scope="module")
def of_everybody(stack: DeployedStack) -> set[tuple[str, str, str]]:
    """What Kubernetes itself allows whoever has signed in: to ask about their own rights."""
    return allowed(stack.api, NOBODY, SERVICES_NAMESPACE)


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_no_stack_has_other_roles_than_this_one(kind: str) -> None:
    """So that what is asked of this one holds for all of them."""
    (known,) = _roles("everything-on", kind)
    for name in NAMES:
        assert all(role == known for role in _roles(name, kind)), name


def _roles(stack: str, kind: str) -> list[object]:
    objects = kubernetes_objects(recording_of(stack).resources)
    return [(each["metadata"], each["rules"]) for each in objects if each["kind"] == kind]


def test_nobody_may_do_anything(of_everybody: set[tuple[str, str, str]]) -> None:
    assert {resource for _, _, resource in of_everybody} <= {
        "selfsubjectaccessreviews", "selfsubjectreviews", "selfsubjectrulesreviews",
    }  # fmt: skip


def test_operators_may_look_scale_and_restart_and_nothing_else(
    stack: DeployedStack, of_everybody: set[tuple[str, str, str]]
) -> None:
    rights = allowed(stack.api, OPERATOR, SERVICES_NAMESPACE) - of_everybody
    looking = {(verb, *seen) for seen in SEEN_IN_A_NAMESPACE for verb in LOOKING}
    known = {(verb, group, name) for group, name, verb in everything(stack.api)}
    assert rights == (looking & known) | OPERATIONS


def test_operators_may_nothing_outside_the_services_namespace(
    stack: DeployedStack, of_everybody: set[tuple[str, str, str]]
) -> None:
    for elsewhere in ("envoy-gateway-system", None):
        assert allowed(stack.api, OPERATOR, elsewhere) == of_everybody


def test_readers_may_look_at_everything_but_secrets(
    stack: DeployedStack, of_everybody: set[tuple[str, str, str]]
) -> None:
    rights = allowed(stack.api, READER, None) - of_everybody
    known = {(verb, group, name) for group, name, verb in everything(stack.api)}
    seen = SEEN_IN_A_NAMESPACE | SEEN_IN_THE_CLUSTER
    assert rights == {(verb, *each) for each in seen for verb in LOOKING} & known
    assert not {resource for _, _, resource in rights} & set(NOT_BY_READERS)


@pytest.mark.parametrize("who", [Person(ADA), Person(GUEST)], ids=["of the tenant", "guest"])
def test_single_users_are_operators(stack: DeployedStack, who: Person) -> None:
    somebody = stack.api.acting_as(who.user, *who.groups)
    assert somebody.list("/api/v1/namespaces/scoring/pods") is not None
    with pytest.raises(Refused, match=f'User "{who.user}" cannot list resource "secrets"'):
        somebody.list("/api/v1/namespaces/scoring/secrets")


def test_an_operator_scales_and_restarts_the_services(stack: DeployedStack) -> None:
    """The acts themselves, by impersonation: what `kubectl scale` and `rollout restart` send."""
    operator = stack.api.acting_as(OPERATOR.user, *OPERATOR.groups)
    path = "/apis/apps/v1/namespaces/scoring/deployments/faq"
    operator.merge(f"{path}/scale", {"spec": {"replicas": 3}})
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    operator.merge(path, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
    with pytest.raises(Refused, match="cannot delete"):
        operator.delete(path)
    with pytest.raises(Refused, match="cannot create"):
        operator.request("POST", "/api/v1/namespaces/scoring/pods/faq/exec?command=sh")


def test_a_reader_changes_nothing(stack: DeployedStack) -> None:
    reader = stack.api.acting_as(READER.user, *READER.groups)
    assert reader.list("/apis/apps/v1/deployments")
    path = "/apis/apps/v1/namespaces/scoring/deployments/faq"
    with pytest.raises(Refused, match="cannot patch"):
        reader.merge(f"{path}/scale", {"spec": {"replicas": 1}})
    with pytest.raises(Refused, match='cannot list resource "secrets"'):
        reader.list("/api/v1/secrets")


def test_the_pods_own_accounts_may_nothing(
    stack: DeployedStack, of_everybody: set[tuple[str, str, str]]
) -> None:
    """Whoever breaks into a pod finds no token in it, and the account would not be worth one."""
    for account in ("faq", "resnet", "web", "default"):
        pod = Person(
            f"system:serviceaccount:scoring:{account}",
            ("system:serviceaccounts", "system:serviceaccounts:scoring"),
        )
        assert allowed(stack.api, pod, SERVICES_NAMESPACE) == of_everybody
