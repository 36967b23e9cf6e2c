"""What operators may change in a Deployment or an autoscaler, which Kubernetes roles cannot say."""

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
BOUNDS = ("minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount")
"""Of a HorizontalPodAutoscaler and of a ScaledObject; neither knows the other's."""

SAME_METADATA = (
    "metadata.?labels", "metadata.?annotations", "metadata.?finalizers",
    "metadata.?ownerReferences",
)  # fmt: skip
"""All of an object's metadata that says anything of it. Who owns which field (``managedFields``)
changes with every change and gives no rights.

KEDA's annotations too. One hands it another HorizontalPodAutoscaler; others pause it, which deletes
its own, and stay until somebody thinks of them, since no stack declares them. Whoever wants a fixed
number of pods sets both bounds to it, which ``kubectl get hpa`` shows.
"""
SAME_FIELDS = (
    *SAME_METADATA,
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


@dataclass(frozen=True)
class _Limit:
    """What a policy is about, and what it lets pass.

    Attributes:
        name: of the policy and its binding.
        resources: API group, version and resource. Requests by other versions are judged as this.
        expression: CEL, of a change that is let pass.
        refusal: what is said of any other.
    """

    name: str
    resources: tuple[tuple[str, str, str], ...]
    expression: str
    refusal: str


class OperatorLimits(pulumi.ComponentResource):
    """Refuses what a patch could do besides restarting and scaling.

    Without it whoever may patch a Deployment could mount any Secret of the namespace, or run
    another image; and whoever may patch a ScaledObject could have KEDA show its token for managed
    Prometheus at any address, and ask any address from inside the cluster
    (kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy).
    """

    def __init__(
        self, name: str, args: OperatorLimitsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:kubernetes:OperatorLimits", name, None, opts)
        deployments, autoscalers = _deployments(), _autoscalers()
        self._enforce(name, deployments, args)
        self._enforce(f"{name}-autoscalers", autoscalers, args)
        self.register_outputs({"policies": [deployments.name, autoscalers.name]})

    def _enforce(self, name: str, limit: _Limit, args: OperatorLimitsArgs) -> None:
        policy = admission.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=object_meta(limit.name),
            spec=admission.ValidatingAdmissionPolicySpecArgs(
                failure_policy="Fail",
                match_constraints=_changes_of(limit.resources),
                match_conditions=[
                    admission.MatchConditionArgs(name="operators", expression=is_operator(args))
                ],
                validations=[
                    admission.ValidationArgs(
                        expression=limit.expression, message=limit.refusal, reason="Forbidden"
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        admission.ValidatingAdmissionPolicyBinding(
            f"{name}-binding",
            metadata=object_meta(limit.name),
            spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=limit.name,
                validation_actions=["Deny"],
                match_resources=admission.MatchResourcesArgs(
                    namespace_selector=kubernetes.meta.v1.LabelSelectorArgs(
                        match_labels={NAMESPACE_LABEL: args.namespace}
                    )
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def is_operator(args: OperatorLimitsArgs) -> str:
    """CEL: whether an operator asks who is no administrator."""
    users, groups = json.dumps(list(args.users)), json.dumps(list(args.groups))
    asks = f"(request.userInfo.username in {users} || {_in_one_of(groups)})"
    if not args.exempt_groups:
        return asks
    return f"{asks} && !{_in_one_of(json.dumps(list(args.exempt_groups)))}"


def _deployments() -> _Limit:
    annotations = "spec.template.metadata.?annotations.orValue({})"
    return _Limit(
        NAME,
        (("apps", "v1", "deployments"),),
        _all_of(
            *_same(SAME_FIELDS),
            *_same_entries(f"object.{annotations}", f"oldObject.{annotations}", (RESTARTED_AT,)),
        ),
        "operators may restart and scale a Deployment, and change nothing else in it",
    )


def _autoscalers() -> _Limit:
    """Both kinds, with KEDA or without: a policy may name what the cluster does not know."""
    return _Limit(
        f"{NAME}-autoscalers",
        (
            ("autoscaling", "v2", "horizontalpodautoscalers"),
            ("keda.sh", "v1alpha1", "scaledobjects"),
        ),
        # By entry, since KEDA's next version may have fields that nobody knows yet; `dyn`, since
        # to the check of types a specification is no map.
        _all_of(
            *_same(SAME_METADATA), *_same_entries("dyn(object.spec)", "dyn(oldObject.spec)", BOUNDS)
        ),
        "operators may set an autoscaler's bounds, and change nothing else in it",
    )


def _all_of(*conditions: str) -> str:
    return " && ".join(conditions)


def _same(fields: Sequence[str]) -> list[str]:
    """CEL: each field is as it was."""
    return [f"object.{field} == oldObject.{field}" for field in fields]


def _same_entries(new: str, old: str, free: Sequence[str]) -> list[str]:
    """CEL: neither map has an entry that the other has not, but for those that are free."""
    names = json.dumps(list(free))
    return [
        f"{one}.all(key, key in {names} || (key in {other} && {other}[key] == {one}[key]))"
        for one, other in ((new, old), (old, new))
    ]


def _in_one_of(groups: str) -> str:
    return f"request.userInfo.?groups.orValue([]).exists(group, group in {groups})"


def _changes_of(
    resources: Sequence[tuple[str, str, str]],
) -> kubernetes.admissionregistration.v1.MatchResourcesArgs:
    return admission.MatchResourcesArgs(
        # By whatever version of its API group a change is asked for.
        match_policy="Equivalent",
        resource_rules=[
            admission.NamedRuleWithOperationsArgs(
                api_groups=[group],
                api_versions=[version],
                operations=["UPDATE"],
                resources=[resource],
            )
            for group, version, resource in resources
        ],
    )
