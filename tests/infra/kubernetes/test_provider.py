from __future__ import annotations

import pulumi
import pulumi_azure_native as azure
import pytest

from infra.kubernetes.provider import cluster_provider
from infra.recording import Recording, Secret, record_component
from infra.stacks.platform_outputs import PlatformOutputs
from tests.infra.azure.cluster_side import azure_options, settings_of


@pytest.fixture
def recording() -> Recording:
    def build() -> None:
        ready = azure.resources.ResourceGroup("pool")
        platform = PlatformOutputs(
            **{name: pulumi.Output.from_input(f"<{name}>") for name in PlatformOutputs.names()},
            ready=[ready],
        )
        cluster_provider("kubernetes", settings_of(), platform, azure_options())

    return record_component(build)


def test_kubeconfig_is_a_secret(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes")
    assert isinstance(provider.inputs["kubeconfig"], Secret)


def test_cluster_is_known_by_its_id(recording: Recording) -> None:
    """Or any change of it would replace everything in it."""
    provider = recording.one("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == "<cluster_id>"


def test_what_runs_in_the_cluster_waits_for_nodes_and_rights(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:kubernetes")
    assert any(urn.endswith(":ResourceGroup::pool") for urn in provider.options.depends_on)


def test_objects_of_a_cluster_that_cannot_be_reached_are_not_forgotten(
    recording: Recording,
) -> None:
    assert "deleteUnreachable" not in recording.one("pulumi:providers:kubernetes").inputs
