"""Rules on namespaces, services and network policies: who can reach whom."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.pods import (
    DAEMON_SET,
    DEPLOYMENT,
    PRIVILEGED_NAMESPACES,
    SCALABLE,
    STATEFUL_SET,
    containers_of,
    labels_of,
    name_of,
    namespace_of,
    pod_of,
    same_namespace,
    selects,
)
from policies.reading import UNKNOWN, at, holds_unknown, items, may_equal, shown
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule
from policies.sources import checkov, kube_linter, kubernetes, kubescape, polaris

NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE = "kubernetes:core/v1:Service"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
DIRECTIONS = {"Ingress": "from", "Egress": "to"}
"""The types of a NetworkPolicy, and where a rule of each names its peers."""
ALL_ADDRESSES = ("0.0.0.0/0", "::/0")
"""Pods have addresses, too: a block of all of them is everybody."""
ENFORCED_STANDARD = "pod-security.kubernetes.io/enforce"
CLUSTER_SCOPED = (
    "Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "GatewayClass",
    "ClusterIssuer", "PriorityClass", "StorageClass", "RuntimeClass", "Provider",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
)  # fmt: skip
REMOVED_VERSIONS = (
    "kubernetes:extensions/v1beta1:", "kubernetes:apps/v1beta", "kubernetes:policy/v1beta1:",
    "kubernetes:batch/v1beta1:", "kubernetes:autoscaling/v2beta", "kubernetes:discovery.k8s.io/v1beta1:",
    "kubernetes:networking.k8s.io/v1beta1:", "kubernetes:rbac.authorization.k8s.io/v1beta1:",
    "kubernetes:storage.k8s.io/v1beta1:CSIStorageCapacity",
    "kubernetes:flowcontrol.apiserver.k8s.io/v1beta",
)  # fmt: skip
"""kubernetes.io/docs/reference/using-api/deprecation-guide"""


def _standard(namespace: Resource) -> Iterator[str]:
    labels = namespace.at("metadata", "labels")
    level = at(labels, ENFORCED_STANDARD)
    if level in ("restricted", "baseline", UNKNOWN):
        return
    if level != "privileged" or name_of(namespace) not in PRIVILEGED_NAMESPACES:
        yield f"the label {ENFORCED_STANDARD} is {shown(level)}"


def _default_deny(stack: Stack) -> Iterator[Finding]:
    for namespace in stack.of_type(NAMESPACE):
        there = [
            policy for policy in stack.of_type(NETWORK_POLICY)
            if may_equal(namespace_of(policy), name_of(namespace)) and _selects_all(policy)
        ]  # fmt: skip
        for direction in DIRECTIONS:
            if not any(_closes(policy, direction) for policy in there):
                yield Finding(namespace, f"no NetworkPolicy of all pods closes it: {direction}")
    for policy in stack.of_type(NETWORK_POLICY):  # they add up: no other closes what one opens
        for direction in DIRECTIONS:
            if _opens_all(policy, direction):
                yield Finding(policy, f"a rule opens all pods of its namespace: {direction}")


def _closes(policy: Resource, direction: str) -> bool:
    types = policy.at("spec", "policyTypes")
    named = direction in items(types) or holds_unknown(types)
    return named and not _has_open_rule(policy, direction)


def _opens_all(policy: Resource, direction: str) -> bool:
    if policy.at("spec", "podSelector") is UNKNOWN or not _selects_all(policy):
        return False
    types = policy.at("spec", "policyTypes")
    # Kubernetes takes an empty list as none: both directions, where there are rules.
    return (types in (None, []) or direction in items(types)) and _has_open_rule(policy, direction)


def _has_open_rule(policy: Resource, direction: str) -> bool:
    """Whether a rule allows everything: any port, and nobody named or everybody."""
    return any(
        not at(rule, "ports") and _names_everybody(at(rule, DIRECTIONS[direction]))
        for rule in items(policy.at("spec", direction.lower()))
    )


def _names_everybody(peers: object) -> bool:
    return not peers or any(_is_everybody(peer) for peer in items(peers))


def _is_everybody(peer: object) -> bool:
    """Whether a peer is every address, or every pod of the cluster."""
    block, pods = at(peer, "ipBlock"), at(peer, "podSelector")
    if at(block, "cidr") in ALL_ADDRESSES:
        return not at(block, "except")
    return _is_empty(at(peer, "namespaceSelector")) and (pods is None or _is_empty(pods))


def _selects_all(policy: Resource) -> bool:
    selector = policy.at("spec", "podSelector")
    return selector is UNKNOWN or _is_empty(selector)


def _is_empty(selector: object) -> bool:
    """Whether a selector is there and names nothing, by which it selects everything."""
    return selector is not None and not any(
        at(selector, key) for key in ("matchLabels", "matchExpressions")
    )


def _policies_of(stack: Stack, workload: Resource) -> list[Resource]:
    """Those that name the workload's pods; one whose selector is not known may."""
    return [
        policy for policy in stack.of_type(NETWORK_POLICY)
        if same_namespace(policy, workload) and policy.at("spec", "podSelector", "matchLabels")
        and selects(policy.at("spec", "podSelector", "matchLabels"), labels_of(workload))
    ]  # fmt: skip


def _isolated(stack: Stack) -> Iterator[Finding]:
    for workload in stack.of_type(*SCALABLE):
        if not _policies_of(stack, workload):
            yield Finding(workload, "no NetworkPolicy of its own says who may reach it")


def _ports_of(workload: Resource) -> list[object]:
    """Numbers and names of all container ports, and UNKNOWN where one is."""
    if at(pod_of(workload), "containers") is UNKNOWN:
        return [UNKNOWN]
    ports: list[object] = []
    for container in containers_of(workload):
        declared = container.at("ports")
        if declared is UNKNOWN:
            return [UNKNOWN]
        for port in items(declared):
            ports += [at(port, "containerPort"), at(port, "name")]
    return ports


def _policy_ports(stack: Stack) -> Iterator[Finding]:
    for workload in stack.of_type(*SCALABLE):
        there = _ports_of(workload)
        for policy in _policies_of(stack, workload):
            if holds_unknown([policy.at("spec", "podSelector"), labels_of(workload)]):
                continue
            for rule in items(policy.at("spec", "ingress")):
                for port in items(at(rule, "ports")):
                    wanted = at(port, "port")
                    if wanted is not None and not any(may_equal(wanted, one) for one in there):
                        yield Finding(policy, f"port {shown(wanted)} is none of {workload.name}'s")


def _targets(stack: Stack, service: Resource) -> list[Resource]:
    return [
        workload for workload in stack.of_type(DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
        if same_namespace(service, workload)
        and selects(service.at("spec", "selector"), labels_of(workload))
    ]  # fmt: skip


def _service_selects(stack: Stack) -> Iterator[Finding]:
    for service in stack.of_type(SERVICE):
        if service.at("spec", "selector") is not None and not _targets(stack, service):
            yield Finding(service, "spec.selector matches no pod of the stack")


def _service_ports(stack: Stack) -> Iterator[Finding]:
    for service in stack.of_type(SERVICE):
        for workload in _targets(stack, service):
            if holds_unknown([service.at("spec", "selector"), labels_of(workload)]):
                continue
            there = _ports_of(workload)
            for port in items(service.at("spec", "ports")):
                target = at(port, "targetPort")
                target = at(port, "port") if target is None else target
                if not any(may_equal(target, one) for one in there):
                    yield Finding(service, f"{workload.name} has no port {shown(target)}")


def _inside(service: Resource) -> Iterator[str]:
    kind = service.at("spec", "type")
    if kind in ("LoadBalancer", "NodePort") or items(service.at("spec", "externalIPs")):
        yield f"the service is reachable past the gateway: type {shown(kind)}"


def _named_namespace(thing: Resource) -> Iterator[str]:
    kind = thing.type.rpartition(":")[2]
    if not thing.type.startswith("kubernetes:") or kind in CLUSTER_SCOPED:
        return
    if thing.type.startswith(("kubernetes:helm.sh/", "kubernetes:yaml")):
        return
    namespace = namespace_of(thing)
    if thing.at("metadata") is not UNKNOWN and namespace in (None, "", "default"):
        yield f"metadata.namespace is {shown(namespace)}"


def _explicit_name(thing: Resource) -> Iterator[str]:
    if not thing.type.startswith("kubernetes:") or thing.type.startswith("kubernetes:helm.sh/"):
        return
    if thing.at("metadata") is not None and name_of(thing) in (None, ""):
        yield "metadata.name is not set: the engine would add random letters"


def _removed(thing: Resource) -> Iterator[str]:
    if thing.type.startswith(REMOVED_VERSIONS):
        yield f"{thing.type} is gone from Kubernetes"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="namespace-pod-security", types=(NAMESPACE,),
        description="Every namespace enforces a Pod Security standard",
        severity=Severity.HIGH,
        remediation=f"Add the label {ENFORCED_STANDARD}: restricted",
        sources=(kubernetes("pod security admission", "concepts/security/pod-security-admission"),
                 kubescape("C-0213")),
        check=_standard,
    ),
    StackRule(
        name="namespace-default-deny",
        description="Every namespace refuses traffic that nothing allows",
        severity=Severity.HIGH,
        remediation="Declare a NetworkPolicy of both types with an empty pod_selector and no rules",
        sources=(checkov("CKV2_K8S_6"), kubescape("C-0206")),
        check=_default_deny,
    ),
    StackRule(
        name="workload-isolated",
        description="Every workload has a NetworkPolicy of its own",
        severity=Severity.HIGH,
        remediation="Declare a NetworkPolicy with the workload's labels",
        sources=(polaris("missingNetworkPolicy"), kube_linter("non-isolated-pod")),
        check=_isolated,
    ),
    StackRule(
        name="network-policy-port-exists",
        description="A NetworkPolicy opens ports that the pods have",
        severity=Severity.MEDIUM,
        remediation="Use the container's port, by number or name",
        sources=(kubernetes("network policies", "concepts/services-networking/network-policies"),),
        check=_policy_ports,
    ),
    StackRule(
        name="service-selects-pods",
        description="Every service has pods behind it",
        severity=Severity.HIGH,
        remediation="Use the workload's labels in the service's selector",
        sources=(kube_linter("dangling-service"),),
        check=_service_selects,
    ),
    StackRule(
        name="service-port-exists",
        description="A service's target port is one of its pods'",
        severity=Severity.HIGH,
        remediation="Name the container's port in target_port",
        sources=(kubernetes("services", "concepts/services-networking/service"),),
        check=_service_ports,
    ),
    ResourceRule(
        name="service-behind-gateway", types=(SERVICE,),
        description="Nothing but the gateway is reachable from outside the cluster",
        severity=Severity.CRITICAL,
        remediation='Set type="ClusterIP" and add a route to the gateway',
        sources=(kube_linter("exposed-services"), kubescape("C-0256")),
        check=_inside,
    ),
    ResourceRule(
        name="object-own-namespace", types=(),
        description="No object is in the namespace `default`",
        severity=Severity.LOW,
        remediation="Set metadata.namespace",
        sources=(checkov("CKV_K8S_21"), kubescape("C-0212")),
        check=_named_namespace,
    ),
    ResourceRule(
        name="object-named", types=(),
        description="Every Kubernetes object has the name that the program gave it",
        severity=Severity.LOW,
        remediation="Set metadata.name",
        sources=(kubernetes("names", "concepts/overview/working-with-objects/names"),),
        check=_explicit_name,
    ),
    ResourceRule(
        name="no-removed-api", types=(),
        description="No object is of an API version that Kubernetes removed",
        severity=Severity.HIGH,
        remediation="Use the version that the deprecation guide names",
        sources=(kubernetes("deprecation guide", "reference/using-api/deprecation-guide"),),
        check=_removed,
    ),
)  # fmt: skip
