"""Azure Policy inside the cluster: what no pod may be, whoever deploys it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure
from pulumi_azure_native import containerservice as aks

from infra.azure.place import Place
from infra.kubernetes.places import CERTIFICATES_NAMESPACE, GATEWAY_NAMESPACE, GPU_NAMESPACE
from infra.sections.security import SecuritySettings

RESTRICTED_PODS = "42b8ef37-b724-4e24-bbc8-7a7708edfe00"
"""Initiative "Kubernetes cluster pod security restricted standards for Linux-based workloads"
(github.com/Azure/azure-policy, policySetDefinitions/Kubernetes)."""

AZURE_NAMESPACES = (
    "azure-arc",
    "azure-extensions-usage-system",
    "gatekeeper-system",
    "kube-system",
)
"""Azure's own; the initiative leaves them out by default."""

EXEMPT_NAMESPACES = (
    *AZURE_NAMESPACES,
    # These are charts of others. Pod Security admission holds them to `restricted`, but the
    # initiative wants group ids outright as well, which the charts do not set.
    CERTIFICATES_NAMESPACE,
    GATEWAY_NAMESPACE,
    # The device plugin hands the nodes' devices to pods.
    GPU_NAMESPACE,
)


@dataclass(frozen=True)
class ClusterPoliciesArgs:
    """What :class:`ClusterPolicies` needs.

    Attributes:
        place: where it goes.
        settings: what is audited or denied.
        cluster_id: the cluster.
    """

    place: Place
    settings: SecuritySettings
    cluster_id: pulumi.Input[str]


class ClusterPolicies(pulumi.ComponentResource):
    """The restricted pod security standard, and AKS's deployment safeguards, as far as wanted."""

    def __init__(
        self, name: str, args: ClusterPoliciesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:ClusterPolicies", name, None, opts)
        settings = args.settings
        if settings.azure_policy != "off":
            self._restricted_pods(name, args)
        if settings.safeguards != "off":
            # `Enforce` also changes what is deployed (requests, anti-affinity), which the next
            # preview shows as drift; the stack's own objects have what it would add.
            aks.DeploymentSafeguard(
                f"{name}-safeguards",
                resource_uri=args.cluster_id,
                level=aks.DeploymentSafeguardsLevel(settings.safeguards),
                excluded_namespaces=sorted(EXEMPT_NAMESPACES),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs(
            {"pod_security": settings.azure_policy, "safeguards": settings.safeguards}
        )

    def _restricted_pods(self, name: str, args: ClusterPoliciesArgs) -> None:
        """Assigned to the resource group: the add-on reads no assignment of a single cluster.

        Source: learn.microsoft.com/azure/governance/policy/concepts/policy-for-kubernetes.
        """
        place = args.place
        effect = {"audit": "Audit", "deny": "Deny"}[args.settings.azure_policy]
        parameters: dict[str, str | list[str]] = {
            "effect": effect,
            "excludedNamespaces": sorted(EXEMPT_NAMESPACES),
            "allowedCapabilities": [],
            "requiredDropCapabilities": ["ALL"],
        }
        azure.authorization.PolicyAssignment(
            f"{name}-restricted-pods",
            policy_assignment_name=place.naming.resource("policy", "restricted-pods", longest=64),
            scope=place.resource_group_id,
            policy_definition_id=f"/providers/Microsoft.Authorization/policySetDefinitions/{RESTRICTED_PODS}",
            display_name=f"Restricted pods ({place.naming.workload} {place.naming.stack})",
            description="Pods of the cluster keep to the restricted pod security standard.",
            enforcement_mode=azure.authorization.EnforcementMode.DEFAULT,
            parameters={
                key: azure.authorization.ParameterValuesValueArgs(value=value)
                for key, value in parameters.items()
            },
            non_compliance_messages=[
                azure.authorization.NonComplianceMessageArgs(
                    message="The pod breaks the restricted pod security standard: "
                    "kubernetes.io/docs/concepts/security/pod-security-standards."
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
