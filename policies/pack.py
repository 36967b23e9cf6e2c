"""All rules, and the policies that the engine makes of them."""

from __future__ import annotations

from pulumi_policy import Policy

from policies import (
    azure_access,
    cluster,
    cluster_upkeep,
    gateway,
    kubernetes_network,
    kubernetes_placement,
    kubernetes_pods,
    kubernetes_roles,
    kubernetes_scaling,
    kubernetes_workloads,
    monitoring,
    network,
    node_pools,
    registry,
    stack_rules,
)
from policies.rule import AnyRule

NAME = "realtime-scoring"
SUBJECTS: dict[str, tuple[AnyRule, ...]] = {
    "Cluster": cluster.RULES,
    "Upkeep of the cluster": cluster_upkeep.RULES,
    "Node pools": node_pools.RULES,
    "Registry and images": registry.RULES,
    "Network": network.RULES,
    "Logs and alerts": monitoring.RULES,
    "Vaults, identities, roles in Azure": azure_access.RULES,
    "Pods": kubernetes_pods.RULES,
    "Workloads": kubernetes_workloads.RULES,
    "Scaling and disruption": kubernetes_scaling.RULES,
    "Placement and GPUs": kubernetes_placement.RULES,
    "Namespaces, services, network policies": kubernetes_network.RULES,
    "Roles in the cluster": kubernetes_roles.RULES,
    "Gateway": gateway.RULES,
    "Every resource": stack_rules.RULES,
}
"""By subject, in the order of the documentation."""

RULES: tuple[AnyRule, ...] = tuple(rule for rules in SUBJECTS.values() for rule in rules)


def policies() -> list[Policy]:
    """As the engine takes them."""
    return [rule.policy() for rule in RULES]
