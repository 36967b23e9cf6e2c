from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.azure.place import Place
from infra.azure.roles import KEY_VAULT_SECRETS_USER, MONITORING_DATA_READER
from infra.azure.workload_identity import WorkloadIdentities, WorkloadIdentitiesArgs
from infra.recording import Recording, record_component
from tests.infra.azure.cluster_side import azure_options, settings_of

ISSUER, VAULT, PROMETHEUS = "https://issuer.example.org/", "/vault", "/prometheus"
VAULT_ON: Mapping[str, Any] = {"key_vault": {"enabled": True}}
QUEUE: Mapping[str, Any] = {"scaling": {"metric": "queue"}}


def record_identities(place: Place, **values: Any) -> Recording:
    settings = settings_of(**values)
    return record_component(
        lambda: WorkloadIdentities(
            "identities",
            WorkloadIdentitiesArgs(place, settings, ISSUER, VAULT, PROMETHEUS),
            azure_options(),
        )
    )


def test_pods_that_read_nothing_in_azure_have_no_identity(place: Place) -> None:
    recording = record_identities(place)
    assert not recording.of_type(":UserAssignedIdentity")
    assert recording.one(":WorkloadIdentities").outputs.get("client_ids") == {}


def test_each_service_has_one_of_its_own(place: Place) -> None:
    recording = record_identities(place, security=VAULT_ON)
    subjects = {r.inputs["subject"] for r in recording.of_type(":FederatedIdentityCredential")}
    assert subjects == {
        "system:serviceaccount:scoring:faq",
        "system:serviceaccount:scoring:resnet",
    }
    outputs: Any = recording.one(":WorkloadIdentities").outputs
    assert set(outputs["client_ids"]) == {"faq", "resnet"}


def test_services_that_are_off_have_none(place: Place) -> None:
    recording = record_identities(place, security=VAULT_ON, resnet={"enabled": False})
    subjects = [r.inputs["subject"] for r in recording.of_type(":FederatedIdentityCredential")]
    assert subjects == ["system:serviceaccount:scoring:faq"]


def test_credential_trusts_the_clusters_tokens_alone(place: Place) -> None:
    recording = record_identities(place, security=VAULT_ON)
    credential = recording.one(":FederatedIdentityCredential", "identities-faq")
    assert credential.inputs["issuer"] == ISSUER
    assert credential.inputs["audiences"] == ["api://AzureADTokenExchange"]


def test_no_identity_has_two_credentials(place: Place) -> None:
    """Azure refuses two writes to the credentials of one identity at once."""
    recording = record_identities(
        place, security=VAULT_ON, faq=QUEUE, monitoring={"prometheus": True}
    )
    owners = [r.inputs["resourceName"] for r in recording.of_type(":FederatedIdentityCredential")]
    assert len(owners) == len(set(owners)) == 3


def test_services_read_the_vault_and_nothing_else(place: Place) -> None:
    recording = record_identities(place, security=VAULT_ON)
    granted = {
        (r.inputs["roleDefinitionId"], r.inputs["scope"])
        for r in recording.of_type(":RoleAssignment")
    }
    assert granted == {(place.role_definition(KEY_VAULT_SECRETS_USER), VAULT)}


def test_keda_reads_the_queues_lengths(place: Place) -> None:
    recording = record_identities(place, faq=QUEUE, monitoring={"prometheus": True})
    credential = recording.one(":FederatedIdentityCredential")
    assignment = recording.one(":RoleAssignment")
    identity = recording.one(":UserAssignedIdentity")
    assert credential.inputs["subject"] == "system:serviceaccount:kube-system:keda-operator"
    assert assignment.inputs["scope"] == PROMETHEUS
    assert assignment.inputs["roleDefinitionId"] == place.role_definition(MONITORING_DATA_READER)
    outputs = recording.one(":WorkloadIdentities").outputs
    assert outputs["keda_client_id"] == f"<output of {identity.urn}.clientId>"
