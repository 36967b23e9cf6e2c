"""What an operator may change in a Deployment, which Kubernetes roles cannot say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.object_meta import object_meta

admission = kubernetes.admissionregistration.v1

NAME = "realtime-scoring-operators"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""What ``kubectl rollout restart`` writes."""
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""Kubernetes puts it on every namespace."""
REFUSAL = "operators may restart and scale a Deployment, and change nothing else in it"

SAME_FIELDS = (
    "metadata.?labels", "metadata.?annotations", "metadata.?finalizers",
    "metadata.?ownerReferences",
    "spec.selector", "spec.?strategy", "spec.?minReadySeconds", "spec.?revisionHistoryLimit",
    "spec.?paused", "spec.?progressDeadlineSeconds",
    "spec.template.?spec", "spec.template.metadata.?labels",
)  # fmt: skip
"""All that a Deployment has, but its replicas and its pods' annotations."""


@dataclass(frozen=True)
class OperatorLimitsArgs:
    """What :class:`OperatorLimits` needs.

    Attributes:
        namespace: of the services.
        users: operators, as the API server knows them.
        groups: of operators.
        exempt_groups: administrators, who may be operators as well.
    """

    namespace: pulumi.Input[str]
    users: Sequence[str]
    groups: Sequence[str]
    exempt_groups: Sequence[str]


class OperatorLimits(pulumi.ComponentResource):
    """Refuses what a patch of a Deployment could do besides restarting and scaling.

    Without it whoever may patch could mount any Secret of the namespace, or run another image
    (kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy).
    """

    def __init__(
        self, name: str, args: OperatorLimitsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:OperatorLimits", name, None, opts)
        policy = admission.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=object_meta(NAME),
            spec=admission.ValidatingAdmissionPolicySpecArgs(
                failure_policy="Fail",
                match_constraints=_deployments(),
                match_conditions=[
                    admission.MatchConditionArgs(name="operators", expression=is_operator(args))
                ],
                validations=[
                    admission.ValidationArgs(
                        expression=nothing_else_changes(), message=REFUSAL, reason="Forbidden"
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        admission.ValidatingAdmissionPolicyBinding(
            f"{name}-binding",
            metadata=object_meta(NAME),
            spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=NAME,
                validation_actions=["Deny"],
                match_resources=admission.MatchResourcesArgs(
                    namespace_selector=kubernetes.meta.v1.LabelSelectorArgs(
                        match_labels={NAMESPACE_LABEL: args.namespace}
                    )
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"policy": NAME})


def is_operator(args: OperatorLimitsArgs) -> str:
    """CEL: whether an operator asks who is no administrator."""
    users, groups = json.dumps(list(args.users)), json.dumps(list(args.groups))
    asks = f"(request.userInfo.username in {users} || {_in_one_of(groups)})"
    if not args.exempt_groups:
        return asks
    return f"{asks} && !{_in_one_of(json.dumps(list(args.exempt_groups)))}"


def nothing_else_changes() -> str:
    """CEL: whether the two Deployments differ in replicas and the restart alone."""
    same = [f"object.{field} == oldObject.{field}" for field in SAME_FIELDS]
    return " && ".join([*same, _kept("object", "oldObject"), _kept("oldObject", "object")])


def _kept(one: str, other: str) -> str:
    """CEL: the one's annotations of pods are the other's too, but for the restart."""
    theirs = f"{other}.spec.template.metadata.?annotations.orValue({{}})"
    return (
        f"{one}.spec.template.metadata.?annotations.orValue({{}}).all(key, "
        f"key == {json.dumps(RESTARTED_AT)} || (key in {theirs} && {theirs}[key] == "
        f"{one}.spec.template.metadata.annotations[key]))"
    )


def _in_one_of(groups: str) -> str:
    return f"request.userInfo.?groups.orValue([]).exists(group, group in {groups})"


def _deployments() -> kubernetes.admissionregistration.v1.MatchResourcesArgs:
    return admission.MatchResourcesArgs(
        resource_rules=[
            admission.NamedRuleWithOperationsArgs(
                api_groups=["apps"],
                api_versions=["v1"],
                operations=["UPDATE"],
                resources=["deployments"],
            )
        ]
    )
