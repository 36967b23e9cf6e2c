"""What the API server refuses, so that admitting the stack's objects means something.

Each case is an object of a stack with one change, in a dry run: admission is done, nothing is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.api import Api, Object, Refused
from tests.cluster.deployed_stack import DeployedStack, stack_on

RESTRICTED_WORKLOADS = ("faq", "resnet", "web", "envoy-scoring")


@pytest.fixture(scope="module")
def stack(api: Api) -> Iterator[DeployedStack]:
    """The stack with every switch on; only its namespaces and accounts are there."""
    stack = stack_on(api, "everything-on")
    for found in stack.objects:
        if found["kind"] in ("Namespace", "ServiceAccount", "PriorityClass"):
            api.apply(found)
    yield stack
    stack.remove()


def pod_of(stack: DeployedStack, workload: str) -> Object:
    (deployment,) = (
        each for each in stack.of_kind("Deployment") if each["metadata"]["name"] == workload
    )
    template = copy.deepcopy(deployment["spec"]["template"])
    metadata = {"name": "liberty", "namespace": deployment["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    }


def _in_container(**change: object) -> Callable[[Object], None]:
    return lambda spec: spec["containers"][0]["securityContext"].update(change)


def _without_seccomp(spec: Object) -> None:
    for context in (spec["securityContext"], *(c["securityContext"] for c in spec["containers"])):
        context.pop("seccompProfile", None)


def _as_root(spec: Object) -> None:
    for context in (spec["securityContext"], *(c["securityContext"] for c in spec["containers"])):
        context["runAsUser"] = 0


LIBERTIES: dict[str, tuple[Callable[[Object], object], str]] = {
    "the node's network": (lambda spec: spec.update(hostNetwork=True), "host namespaces"),
    "the node's processes": (lambda spec: spec.update(hostPID=True), "host namespaces"),
    "the node's files": (
        lambda spec: spec.setdefault("volumes", []).append(
            {"name": "node", "hostPath": {"path": "/"}}
        ),
        "restricted volume types",
    ),
    "privileges": (
        _in_container(privileged=True, allowPrivilegeEscalation=True),
        "privileged",
    ),
    "more privileges later": (
        _in_container(allowPrivilegeEscalation=True),
        "allowPrivilegeEscalation != false",
    ),
    "a capability": (
        _in_container(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
        "unrestricted capabilities",
    ),
    "all capabilities": (_in_container(capabilities={}), "unrestricted capabilities"),
    "root": (_as_root, "runAsUser=0"),
    "every system call": (_without_seccomp, "seccompProfile"),
}


@pytest.mark.parametrize("workload", RESTRICTED_WORKLOADS)
def test_the_workloads_pods_are_admitted_as_they_are(stack: DeployedStack, workload: str) -> None:
    stack.api.create(pod_of(stack, workload), dry_run=True)


@pytest.mark.parametrize("liberty", LIBERTIES)
@pytest.mark.parametrize("workload", RESTRICTED_WORKLOADS)
def test_one_liberty_more_is_refused(stack: DeployedStack, workload: str, liberty: str) -> None:
    """Pod Security is enforced where the services and the proxies are."""
    take, named = LIBERTIES[liberty]
    pod = pod_of(stack, workload)
    take(pod["spec"])
    with pytest.raises(Refused, match=rf'violates PodSecurity "restricted.*{named}'):
        stack.api.create(pod, dry_run=True)


def _two_paths(spec: Object) -> None:
    """Found by this very rule: one rule for GET and HEAD, whose prefix is rewritten."""
    (match,) = spec["rules"][0]["matches"]
    spec["rules"][0]["matches"].append({**match, "method": "HEAD"})


def _redirect_and_serve(spec: Object) -> None:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
    spec["rules"][0].setdefault("filters", []).append(redirect)


AGAINST_THE_RULES: dict[str, tuple[str, str, Callable[[Object], object], str]] = {
    "a prefix rewritten for two matches": ("HTTPRoute", "faq", _two_paths, "exactly one PathPrefix"),
    "a redirect with a backend": (
        "HTTPRoute", "web", _redirect_and_serve, "RequestRedirect filter must not be used together",
    ),
    "two listeners of one name": (
        "Gateway", "scoring",
        lambda spec: spec["listeners"][1].update(name=spec["listeners"][0]["name"]),
        "Listener name must be unique",
    ),
    "TLS on plain HTTP": (
        "Gateway", "scoring",
        lambda spec: spec["listeners"][0].update(tls=spec["listeners"][1]["tls"]),
        "tls must not be specified for protocols",
    ),
    "a policy for two kinds of things": (
        "BackendTrafficPolicy", "backends",
        lambda spec: spec["targetRefs"].append({**spec["targetRefs"][0], "kind": "Service"}),
        "this policy can only have a targetRef",
    ),
    "TLS 1.3 with chosen ciphers": (
        "ClientTrafficPolicy", "clients",
        lambda spec: spec["tls"].update(minVersion="1.3", ciphers=["ECDHE-RSA-AES128-GCM-SHA256"]),
        "setting ciphers has no effect if the minimum possible TLS version is 1.3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AGAINST_THE_RULES)
def test_the_kinds_own_rules_are_checked(stack: DeployedStack, case: str) -> None:
    """The CEL rules of the pinned charts' definitions, which no schema of fields can express."""
    kind, name, change, told = AGAINST_THE_RULES[case]
    (found,) = (
        copy.deepcopy(each) for each in stack.of_kind(kind) if each["metadata"]["name"] == name
    )
    stack.api.create(found, dry_run=True)
    change(found["spec"])
    with pytest.raises(Refused, match=told):
        stack.api.create(found, dry_run=True)
