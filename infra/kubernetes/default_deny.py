"""Network policies of whole namespaces: nothing is allowed but what is named here.

Workloads of the services' namespace bring their own rules; see infra/kubernetes/workloads.py.
Probes of the kubelet need no rule: Cilium always lets a pod's own node in
(docs.cilium.io/en/stable/network/kubernetes/policy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import (
    API_PORT,
    GATEWAY_NAME,
    GATEWAY_NAMESPACE,
    GATEWAY_OWNER_LABEL,
    SERVICES_NAMESPACE,
)

net = kubernetes.networking.v1
meta = kubernetes.meta.v1

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
SYSTEM_NAMESPACE = "kube-system"
SOLVER_LABEL = "acme.cert-manager.io/http01-solver"
SOLVER_PORT = 8089
PROXY_PORTS = (10080, 10443)
"""Envoy Gateway moves ports below 1024 up by 10,000, so that Envoy needs no privilege."""
CONTROLLER_PORTS = (18000, 18001, 18002)
PROXY_METRICS_PORT = 19001
CERTIFICATES_METRICS_PORT = 9402
CERTIFICATES_WEBHOOK_PORT = 10250


def deny_all(name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Take every right to talk from the pods of a namespace."""
    _policy(f"{name}-deny", "default-deny", namespace, _pods({}), parent)


def allow_dns(name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Let all pods of a namespace ask the cluster's DNS."""
    dns = net.NetworkPolicyPeerArgs(
        namespace_selector=_pods({NAMESPACE_LABEL: SYSTEM_NAMESPACE}),
        pod_selector=_pods({"k8s-app": "kube-dns"}),
    )
    _policy(
        f"{name}-dns", "allow-dns", namespace, _pods({}), parent,
        egress=[
            net.NetworkPolicyEgressRuleArgs(
                to=[dns], ports=[*_ports(53), *_ports(53, protocol="UDP")]
            )
        ],
    )  # fmt: skip


def allow_solvers(name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Let the gateway reach the pods that answer ACME challenges."""
    _policy(
        f"{name}-solvers", "allow-acme-solvers", namespace, _pods({SOLVER_LABEL: "true"}), parent,
        ingress=[
            net.NetworkPolicyIngressRuleArgs(
                from_=[_proxies()], ports=_ports(SOLVER_PORT)
            )
        ],
    )  # fmt: skip


def allow_gateway(name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Let everybody reach the proxies, these the services, and the controllers the API server."""
    same_namespace = net.NetworkPolicyPeerArgs(pod_selector=_pods({}))
    services = net.NetworkPolicyPeerArgs(
        namespace_selector=_pods({NAMESPACE_LABEL: SERVICES_NAMESPACE})
    )
    _policy(
        f"{name}-proxies", "allow-proxies", namespace,
        _pods({GATEWAY_OWNER_LABEL: GATEWAY_NAME}), parent,
        ingress=[
            net.NetworkPolicyIngressRuleArgs(ports=_ports(*PROXY_PORTS)),
            _from_monitoring(PROXY_METRICS_PORT),
        ],
        egress=[
            net.NetworkPolicyEgressRuleArgs(to=[services], ports=_ports(API_PORT, SOLVER_PORT)),
            net.NetworkPolicyEgressRuleArgs(
                to=[same_namespace], ports=_ports(*CONTROLLER_PORTS)
            ),
        ],
    )  # fmt: skip
    controllers = meta.LabelSelectorArgs(
        match_expressions=[
            meta.LabelSelectorRequirementArgs(key=GATEWAY_OWNER_LABEL, operator="DoesNotExist")
        ]
    )
    _policy(
        f"{name}-controllers", "allow-controllers", namespace, controllers, parent,
        ingress=[
            net.NetworkPolicyIngressRuleArgs(
                from_=[same_namespace], ports=_ports(*CONTROLLER_PORTS)
            ),
            _from_monitoring(PROXY_METRICS_PORT),
        ],
        egress=[_to_anywhere(443)],
    )  # fmt: skip


def allow_certificates(name: str, namespace: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """Let cert-manager reach the API server, ACME, and the challenge on its own gateway."""
    _policy(
        f"{name}-cert-manager", "allow-cert-manager", namespace, _pods({}), parent,
        ingress=[
            # The API server calls the webhook through tunnels whose source AKS does not promise;
            # the webhook is known by its certificate.
            net.NetworkPolicyIngressRuleArgs(ports=_ports(CERTIFICATES_WEBHOOK_PORT)),
            _from_monitoring(CERTIFICATES_METRICS_PORT),
        ],
        egress=[
            _to_anywhere(80, 443),
            # Cilium turns the public address into the proxies behind it before it looks at rules.
            net.NetworkPolicyEgressRuleArgs(to=[_proxies()], ports=_ports(*PROXY_PORTS)),
        ],
    )  # fmt: skip


def _policy(
    resource_name: str,
    name: str,
    namespace: pulumi.Input[str],
    pods: kubernetes.meta.v1.LabelSelectorArgs,
    parent: pulumi.Resource,
    *,
    ingress: Sequence[kubernetes.networking.v1.NetworkPolicyIngressRuleArgs] = (),
    egress: Sequence[kubernetes.networking.v1.NetworkPolicyEgressRuleArgs] = (),
) -> None:
    net.NetworkPolicy(
        resource_name,
        metadata=object_meta(name, namespace),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=pods,
            policy_types=["Ingress", "Egress"],
            ingress=list(ingress),
            egress=list(egress),
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _pods(labels: Mapping[str, str]) -> kubernetes.meta.v1.LabelSelectorArgs:
    return meta.LabelSelectorArgs(match_labels=labels)


def _ports(
    *ports: int, protocol: str = "TCP"
) -> list[kubernetes.networking.v1.NetworkPolicyPortArgs]:
    return [net.NetworkPolicyPortArgs(port=port, protocol=protocol) for port in ports]


def _proxies() -> kubernetes.networking.v1.NetworkPolicyPeerArgs:
    return net.NetworkPolicyPeerArgs(
        namespace_selector=_pods({NAMESPACE_LABEL: GATEWAY_NAMESPACE}),
        pod_selector=_pods({GATEWAY_OWNER_LABEL: GATEWAY_NAME}),
    )


def _from_monitoring(port: int) -> kubernetes.networking.v1.NetworkPolicyIngressRuleArgs:
    """From managed Prometheus, which runs among Kubernetes' own pods."""
    system = net.NetworkPolicyPeerArgs(
        namespace_selector=_pods({NAMESPACE_LABEL: SYSTEM_NAMESPACE})
    )
    return net.NetworkPolicyIngressRuleArgs(from_=[system], ports=_ports(port))


def _to_anywhere(*ports: int) -> kubernetes.networking.v1.NetworkPolicyEgressRuleArgs:
    """To addresses outside the cluster: AKS' API server has one that is not known beforehand."""
    return net.NetworkPolicyEgressRuleArgs(
        to=[net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr="0.0.0.0/0"))],
        ports=_ports(*ports),
    )
