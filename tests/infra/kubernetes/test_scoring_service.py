"""A workload's Deployment, Service and what stands around them."""

from __future__ import annotations

import pytest

from infra.kubernetes.scoring_service import progress_seconds
from tests.infra.kubernetes.platform_objects import manifest, resource_of, settings_with, spec_of
from tests.infra.kubernetes.workload_objects import GPU, VAULT, WEB, declared_workloads

ALL = {"web": WEB}
NAMES = ("faq", "resnet", "web")


@pytest.mark.parametrize("name", NAMES)
def test_replicas_are_the_autoscalers(name: str) -> None:
    assert "replicas" not in spec_of(declared_workloads(ALL), "Deployment", name)


@pytest.mark.parametrize("name", NAMES)
def test_selectors_find_the_pods(name: str) -> None:
    recording = declared_workloads(ALL)
    deployment = spec_of(recording, "Deployment", name)
    labels = deployment["template"]["metadata"]["labels"]
    service = spec_of(recording, "Service", name)
    budget = spec_of(recording, "PodDisruptionBudget", name)
    policy = spec_of(recording, "NetworkPolicy", name)
    for selector in (
        deployment["selector"]["matchLabels"],
        service["selector"],
        budget["selector"]["matchLabels"],
        policy["podSelector"]["matchLabels"],
    ):
        assert selector
        assert selector.items() <= labels.items()
        assert selector["app.kubernetes.io/name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_the_service_is_internal_and_serves_the_api_alone(name: str) -> None:
    service = spec_of(declared_workloads(ALL), "Service", name)
    assert service["type"] == "ClusterIP"
    (port,) = service["ports"]
    assert (port["port"], port["targetPort"]) == (8080, "http")


def test_a_rollout_never_lowers_capacity_on_cpus() -> None:
    rolling = spec_of(declared_workloads(ALL), "Deployment", "resnet")["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_rollout_needs_no_spare_gpu() -> None:
    rolling = spec_of(declared_workloads(GPU), "Deployment", "resnet")["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_rollout_waits_for_a_new_node() -> None:
    values = {"cluster": {"autoscaler": {"node_provision_minutes": 30}}}
    limit = progress_seconds(settings_with(values), "resnet")
    assert limit > 30 * 60 + 600
    deployment = resource_of(declared_workloads(values), "Deployment", "resnet")
    assert deployment.inputs["spec"]["progressDeadlineSeconds"] == limit  # type: ignore[index]
    assert deployment.options.custom_timeouts["create"] == f"{limit + 60}s"


def test_pods_come_after_their_keys() -> None:
    deployment = resource_of(declared_workloads(ALL), "Deployment", "faq")
    names = {urn.rsplit("::", 1)[1] for urn in deployment.options.depends_on}
    assert {"api-keys-scoring-api-keys", "workloads-faq-account", "images-faq"} <= names


def test_pods_come_after_their_right_to_read_the_vault() -> None:
    deployment = resource_of(declared_workloads({"security": VAULT}), "Deployment", "faq")
    names = {urn.rsplit("::", 1)[1] for urn in deployment.options.depends_on}
    assert {"identities-faq-reader", "api-keys-faq-provider-class"} <= names


@pytest.mark.parametrize("name", NAMES)
def test_a_service_account_has_no_token_to_lose(name: str) -> None:
    account = manifest(declared_workloads(ALL), "ServiceAccount", name)
    assert account["automountServiceAccountToken"] is False
    assert "annotations" not in account["metadata"]


def test_a_service_account_names_its_identity_where_it_has_one() -> None:
    account = manifest(declared_workloads({"security": VAULT}), "ServiceAccount", "faq")
    client_id = account["metadata"]["annotations"]["azure.workload.identity/client-id"]
    assert "identities-faq" in client_id


@pytest.mark.parametrize("name", NAMES)
def test_drains_go_on(name: str) -> None:
    budget = spec_of(declared_workloads(ALL), "PodDisruptionBudget", name)
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_everything_of_a_workload_is_its_components_child() -> None:
    recording = declared_workloads(ALL)
    component = recording.one(":ScoringService", "workloads-faq")
    children = {r.type.split(":")[-1] for r in recording.resources if r.parent == component.urn}
    assert children == {
        "ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler",
        "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip
    assert component.outputs == {"serviceName": "faq", "port": 8080}
