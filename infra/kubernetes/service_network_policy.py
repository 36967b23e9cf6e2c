"""Who may call a workload's pods, and whom they may call.

The namespace denies everything else (infra/kubernetes/default_deny.py). The kubelet's probes come
from the node, which Cilium always lets through.
"""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import meta, networking

from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import (
    API_PORT,
    GATEWAY_NAME,
    GATEWAY_NAMESPACE,
    GATEWAY_OWNER_LABEL,
    METRICS_PORT,
)
from infra.kubernetes.pod import selector
from infra.kubernetes.sign_in import to_the_provider
from infra.settings import Settings
from infra.workload import WorkloadName, is_service, services_of

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
SYSTEM_NAMESPACE = "kube-system"
METRICS_AGENT = {"rsName": "ama-metrics"}
"""The replica pods of managed Prometheus, which scrape pods by their annotations."""
DNS = {"k8s-app": "kube-dns"}
DNS_PORT = 53

Peer = networking.v1.NetworkPolicyPeerArgs


def allow_traffic(
    name: str,
    workload: WorkloadName,
    settings: Settings,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """The one policy of a workload."""
    networking.v1.NetworkPolicy(
        name,
        metadata=object_meta(workload, namespace),
        spec=networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector(workload)),
            policy_types=["Ingress", "Egress"],
            ingress=_ingress(workload, settings),
            egress=_egress(workload, settings),
        ),
        opts=opts,
    )


def _ingress(
    workload: WorkloadName, settings: Settings
) -> list[networking.v1.NetworkPolicyIngressRuleArgs]:
    callers = [_pods(GATEWAY_NAMESPACE, {GATEWAY_OWNER_LABEL: GATEWAY_NAME})]
    if is_service(workload) and settings.web.enabled:
        callers.append(_neighbours("web"))
    rules = [_from(callers, API_PORT)]
    if settings.monitoring.prometheus:
        rules.append(_from([_pods(SYSTEM_NAMESPACE, METRICS_AGENT)], METRICS_PORT))
    return rules


def _egress(
    workload: WorkloadName, settings: Settings
) -> list[networking.v1.NetworkPolicyEgressRuleArgs]:
    rules = [
        networking.v1.NetworkPolicyEgressRuleArgs(
            to=[_pods(SYSTEM_NAMESPACE, DNS)],
            ports=[_port(DNS_PORT, "UDP"), _port(DNS_PORT, "TCP")],
        )
    ]
    traces = settings.monitoring.traces
    if is_service(workload) and traces is not None:
        rules.append(
            networking.v1.NetworkPolicyEgressRuleArgs(
                to=[_namespace(traces.namespace)], ports=[_port(traces.port)]
            )
        )
    services = services_of(settings)
    if workload == "web" and services:
        rules.append(
            networking.v1.NetworkPolicyEgressRuleArgs(
                to=[_neighbours(service) for service in services], ports=[_port(API_PORT)]
            )
        )
    if workload == "web" and settings.web.sign_in is not None:
        rules.append(to_the_provider(settings.web.sign_in))
    return rules


def _from(peers: list[Peer], port: int) -> networking.v1.NetworkPolicyIngressRuleArgs:
    return networking.v1.NetworkPolicyIngressRuleArgs(from_=peers, ports=[_port(port)])


def _pods(namespace: str, labels: dict[str, str]) -> Peer:
    """Pods of another namespace: both selectors in one peer, or either would do."""
    return Peer(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: namespace}),
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=labels),
    )


def _namespace(namespace: str) -> Peer:
    """All pods of another namespace."""
    return Peer(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: namespace})
    )


def _neighbours(workload: WorkloadName) -> Peer:
    """Pods of a workload in the policy's own namespace."""
    return Peer(pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector(workload)))


def _port(port: int, protocol: str = "TCP") -> networking.v1.NetworkPolicyPortArgs:
    return networking.v1.NetworkPolicyPortArgs(port=port, protocol=protocol)
