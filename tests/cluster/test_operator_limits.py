"""What the stack's policies refuse operators, whose roles let them patch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.api import Api, Object, Refused
from tests.cluster.deployed_stack import DeployedStack, stack_on
from tests.cluster.test_roles import ADA, OPERATOR, OPERATORS, Person
from tests.waiting import wait_for

ADMINISTRATORS = "33333333-3333-3333-3333-333333333333"
OTHER_ADDRESS = "https://prometheus.example.org"
DEPLOYMENT = "/apis/apps/v1/namespaces/scoring/deployments/faq"
SCALED_OBJECT = "/apis/keda.sh/v1alpha1/namespaces/scoring/scaledobjects/resnet"
HPA = "/apis/autoscaling/v2/namespaces/scoring/horizontalpodautoscalers/web"
HPA_OF_VERSION_1 = HPA.replace("/v2/", "/v1/")

MERGE = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
"""As kubectl sends it, where the kind is Kubernetes' own: with a volume more, not with others."""

SPEC_OF_PODS = {
    "a secret mounted": {"volumes": [{"name": "stolen", "secret": {"secretName": "any"}}]},
    "another account": {"serviceAccountName": "default"},
}
OF_DEPLOYMENTS: dict[str, Object] = {
    **{what: {"spec": {"template": {"spec": change}}} for what, change in SPEC_OF_PODS.items()},
    "another annotation": {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}},
    "a label": {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
    "paused": {"spec": {"paused": True}},
    "the deployment's own label": {"metadata": {"labels": {"a": "b"}}},
}
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"}
METADATA: dict[str, Object] = {
    "a label": {"metadata": {"labels": {"a": "b"}}},
    "an annotation": {"metadata": {"annotations": {"a": "b"}}},
    "an owner": {"metadata": {"ownerReferences": [OWNER]}},
    "a finalizer": {"metadata": {"finalizers": ["example.org/never"]}},
}
OTHER_TARGET: Object = {"spec": {"scaleTargetRef": {"name": "resnet"}}}
EXTERNAL = {"metric": {"name": "any"}, "target": {"type": "Value", "value": "1"}}
OF_HPAS: dict[str, Object] = {
    **METADATA,
    "another target": OTHER_TARGET,
    "another metric": {"spec": {"metrics": [{"type": "External", "external": EXTERNAL}]}},
    "another pace": {"spec": {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}},
    "with its bounds": {"spec": {"maxReplicas": 9, **OTHER_TARGET["spec"]}},
}
METRICS_OF_VERSION_1 = json.dumps(
    [{"type": "External", "external": {"metricName": "any", "targetValue": "1"}}]
)
OF_HPAS_OF_VERSION_1: dict[str, Object] = {
    "another target": OTHER_TARGET,
    "another use of the CPU": {"spec": {"targetCPUUtilizationPercentage": 1}},
    "another metric": {
        "metadata": {
            "annotations": {"autoscaling.alpha.kubernetes.io/metrics": METRICS_OF_VERSION_1}
        }
    },
}
OF_SCALED_OBJECTS: dict[str, Object] = {
    **METADATA,
    "another target": {"spec": {"scaleTargetRef": {"name": "faq"}}},
    "a field less": {"spec": {"fallback": None}},
    "a field more": {"spec": {"cooldownPeriod": 1}},
    "another pace": {"spec": {"pollingInterval": 1}},
    "paused": {"metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}},
    "paused at none": {"metadata": {"annotations": {"autoscaling.keda.sh/paused-replicas": "0"}}},
    "somebody else's autoscaler": {
        "metadata": {"annotations": {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}}
    },
}
BOUNDS: dict[str, Object] = {
    HPA: {"minReplicas": 3, "maxReplicas": 3},
    HPA_OF_VERSION_1: {"minReplicas": 2, "maxReplicas": 5},
    SCALED_OBJECT: {"minReplicaCount": 3, "maxReplicaCount": 3},
}
"""With both bounds the same, their number of pods is held as it is."""


@dataclass(frozen=True)
class Change:
    """A patch, and where it is sent."""

    path: str
    patch: Object
    kind: str = MERGE

    def made_by(self, who: Person, api: Api) -> None:
        """Admitted and validated as ever, but not kept."""
        api.acting_as(who.user, *who.groups).request(
            "PATCH",
            self.path,
            params={"dryRun": "All"},
            headers={"Content-Type": self.kind},
            json=self.patch,
        )


def changes(of: str, path: str, patches: dict[str, Object], kind: str = MERGE) -> dict[str, Change]:
    return {f"{of}: {what}": Change(path, patch, kind) for what, patch in patches.items()}


REFUSED = {
    **changes("Deployment", DEPLOYMENT, OF_DEPLOYMENTS, STRATEGIC_MERGE),
    **changes("HPA", HPA, OF_HPAS),
    **changes("HPA, v1", HPA_OF_VERSION_1, OF_HPAS_OF_VERSION_1),
    **changes("ScaledObject", SCALED_OBJECT, OF_SCALED_OBJECTS),
}
FIRST_OF_EACH_POLICY = ("Deployment: paused", "HPA: another target", "ScaledObject: paused")


@pytest.fixture(scope="module")
def stack(api: Api) -> Iterator[DeployedStack]:
    """A stack with operators and both kinds of autoscalers, whose policies are in force."""
    stack = stack_on(api, "everything-on")
    try:
        stack.apply()
        # The API server takes a second to act by a new policy.
        for first in FIRST_OF_EACH_POLICY:
            wait_for(
                lambda change=REFUSED[first]: is_refused(change, OPERATOR, api),
                30,
                f"no policy is in force ({first})",
            )
        yield stack
    finally:
        stack.remove()


def is_refused(change: Change, who: Person, api: Api) -> bool:
    try:
        change.made_by(who, api)
    except Refused:
        return True
    return False


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("who", [OPERATOR, Person(ADA)], ids=["group", "user"])
def test_an_operator_changes_nothing_but_what_scales_and_restarts(
    stack: DeployedStack, who: Person, change: Change
) -> None:
    with pytest.raises(Refused, match=r"operators may .*, and change nothing else in it"):
        change.made_by(who, stack.api)


def test_kedas_token_is_sent_to_no_other_address(stack: DeployedStack) -> None:
    """KEDA signs in where the trigger says, with what the trigger refers to."""
    (trigger,) = stack.one("ScaledObject", "resnet")["spec"]["triggers"]
    metadata = {**trigger["metadata"], "serverAddress": OTHER_ADDRESS}
    change = Change(SCALED_OBJECT, {"spec": {"triggers": [{**trigger, "metadata": metadata}]}})
    with pytest.raises(Refused, match="operators may set an autoscaler's bounds"):
        change.made_by(OPERATOR, stack.api)


@pytest.mark.parametrize("path", BOUNDS)
def test_an_operator_sets_an_autoscalers_bounds(stack: DeployedStack, path: str) -> None:
    operator = stack.api.acting_as(OPERATOR.user, *OPERATOR.groups)
    operator.merge(path, {"spec": BOUNDS[path]})
    assert BOUNDS[path].items() <= stack.api.get(path)["spec"].items()


def test_an_administrator_is_not_limited_by_being_an_operator_too(stack: DeployedStack) -> None:
    both = Person(OPERATOR.user, (OPERATORS, ADMINISTRATORS))
    for first in FIRST_OF_EACH_POLICY:
        REFUSED[first].made_by(both, stack.api)


def test_the_policies_fit_the_kinds_that_they_are_about(stack: DeployedStack) -> None:
    """The API server checks each expression against the fields that the kinds have."""
    paths = [stack.api.path_of(each) for each in stack.of_kind("ValidatingAdmissionPolicy")]
    assert paths
    for path in paths:
        wait_for(lambda path=path: "typeChecking" in stack.api.get(path).get("status", {}), 30)
        assert stack.api.get(path)["status"]["typeChecking"] == {}
