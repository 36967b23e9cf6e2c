"""The recording: what the engine would see of a program, options included, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from dataclasses import replace

import pulumi
import pulumi_azure_native as azure
import pulumi_kubernetes as kubernetes
import pytest

from infra.recording import NotPlannable, Recorded, Recording, Secret, record_component

GROUP = "rg-scoring-test"


class Identity(pulumi.ComponentResource):
    """A component with one of everything that a recording has to get right."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("realtime-scoring:azure:Identity", name, None, opts)
        self.identity = azure.managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_="id-scoring",
            resource_group_name=GROUP,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                ignore_changes=["tags"],
                retain_on_delete=True,
                delete_before_replace=True,
                aliases=[pulumi.Alias(name="former")],
                custom_timeouts=pulumi.CustomTimeouts(create="20m"),
            ),
        )
        azure.managedidentity.FederatedIdentityCredential(
            f"{name}-credential",
            federated_identity_credential_resource_name="faq",
            resource_name_=self.identity.name,
            resource_group_name=GROUP,
            issuer="https://issuer.example.org/",
            audiences=["api://AzureADTokenExchange"],
            subject=self.identity.principal_id,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.identity]),
        )
        self.register_outputs({"id": self.identity.id})


def _identity() -> None:
    provider = azure.Provider("azure", subscription_id="11111111-1111-1111-1111-111111111111")
    Identity("faq", pulumi.ResourceOptions(provider=provider))


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record_component(_identity, stack="dev")


def test_a_urn_names_the_stack_and_all_ancestors(recording: Recording) -> None:
    identity = recording.one(":UserAssignedIdentity")
    assert identity.urn == (
        "urn:pulumi:dev::realtime-scoring::realtime-scoring:azure:Identity"
        "$azure-native:managedidentity:UserAssignedIdentity::faq-identity"
    )
    assert identity.parent == recording.one("azure:Identity").urn


def test_options_reach_the_recording(recording: Recording) -> None:
    options = recording.one(":UserAssignedIdentity").options
    assert options.protect
    assert options.retain_on_delete
    assert options.delete_before_replace
    assert options.ignore_changes == ("tags",)
    assert options.aliases == ("former",)
    assert options.custom_timeouts == {"create": "20m"}
    assert (
        options.provider == "urn:pulumi:dev::realtime-scoring::pulumi:providers:azure-native::azure"
    )


def test_options_left_out_are_the_engines_defaults(recording: Recording) -> None:
    options = recording.one(":FederatedIdentityCredential").options
    assert not options.protect
    assert not options.retain_on_delete
    assert not options.delete_before_replace
    assert options.ignore_changes == options.aliases == ()


def test_a_value_that_only_a_run_knows_says_where_it_comes_from(recording: Recording) -> None:
    identity = recording.one(":UserAssignedIdentity")
    credential = recording.one(":FederatedIdentityCredential")
    assert credential.inputs["subject"] == f"<output of {identity.urn}.principalId>"
    assert credential.options.property_dependencies["subject"] == (identity.urn,)
    assert credential.options.depends_on == (identity.urn,)


def test_a_name_is_known_from_the_inputs(recording: Recording) -> None:
    assert recording.one(":FederatedIdentityCredential").inputs["resourceName"] == "id-scoring"


def test_a_components_outputs_are_kept(recording: Recording) -> None:
    identity = recording.one(":UserAssignedIdentity")
    assert recording.one("azure:Identity").outputs == {"id": f"<output of {identity.urn}.id>"}


def test_two_recordings_are_equal_and_leave_no_thread(recording: Recording) -> None:
    before = threading.active_count()
    assert record_component(_identity, stack="dev") == recording
    assert threading.active_count() == before


def test_a_recording_inside_a_test_leaves_pulumis_own_settings_alone() -> None:
    before = (pulumi.get_stack(), pulumi.get_project())
    record_component(_identity, stack="another")
    assert (pulumi.get_stack(), pulumi.get_project()) == before


def test_identities_go_in_as_a_list_and_come_back_by_id() -> None:
    def build() -> None:
        cluster = azure.containerservice.ManagedCluster(
            "cluster",
            resource_group_name=GROUP,
            identity=azure.containerservice.ManagedClusterIdentityArgs(
                type=azure.containerservice.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=["/subscriptions/s/identity"],
            ),
        )
        pulumi.export(
            "identities", cluster.identity.apply(lambda i: i and i.user_assigned_identities)
        )
        pulumi.export("issuer", cluster.oidc_issuer_profile.apply(lambda p: p and p.issuer_url))

    recording = record_component(build)
    assert recording.one(":ManagedCluster").inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": ["/subscriptions/s/identity"],
    }
    assert list(recording.outputs["identities"]) == ["/subscriptions/s/identity"]
    assert str(recording.outputs["issuer"]).endswith("::cluster.oidcIssuerProfile.issuerURL>")


def test_only_the_wrapped_value_is_a_secret() -> None:
    def build() -> None:
        azure.keyvault.Secret(
            "secret",
            resource_group_name=GROUP,
            vault_name="kv",
            properties=azure.keyvault.SecretPropertiesArgs(
                content_type="text/plain", value=pulumi.Output.secret("hunter2")
            ),
        )

    secret = record_component(build).one(":Secret")
    assert secret.inputs["properties"] == {"contentType": "text/plain", "value": Secret("hunter2")}
    assert "hunter2" not in repr(secret)


def test_whole_numbers_stay_whole() -> None:
    def build() -> None:
        azure.containerservice.AgentPool(
            "pool", resource_group_name=GROUP, resource_name_="aks", min_count=1, spot_max_price=0.5
        )

    inputs = record_component(build).one(":AgentPool").inputs
    assert json.dumps([inputs["minCount"], inputs["spotMaxPrice"]]) == "[1, 0.5]"


def test_the_clusters_user_credentials_are_a_kubeconfig_for_kubelogin() -> None:
    def build() -> None:
        credentials = azure.containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=GROUP, resource_name="aks"
        )
        kubernetes.Provider(
            "cluster", kubeconfig=pulumi.Output.secret(credentials.kubeconfigs[0].value)
        )

    provider = record_component(build).one("providers:kubernetes")
    assert isinstance(provider.inputs["kubeconfig"], Secret)


def test_another_stacks_outputs_are_placeholders_and_no_secrets() -> None:
    def build() -> None:
        platform = pulumi.StackReference("acme/realtime-scoring/platform")
        pulumi.export("cluster", platform.get_output("cluster_name"))
        pulumi.export("unheard-of", platform.get_output("unheard-of"))

    outputs = record_component(build).outputs
    assert outputs["cluster"] == "<output of acme/realtime-scoring/platform.cluster_name>"
    assert outputs.get("unheard-of") is None


def _twice() -> None:
    azure.Provider("azure")
    azure.Provider("azure")


def _component_twice() -> None:
    """The second one's children wait for a parent that never comes."""
    Identity("faq")
    second = Identity("faq")
    pulumi.export("principal", second.identity.principal_id)


def _awaited_twice() -> None:
    """Others wait for the outputs of the resource that is refused."""
    first, second = (
        azure.managedidentity.UserAssignedIdentity(
            "identity", resource_name_=name, resource_group_name=GROUP
        )
        for name in ("id-one", "id-two")
    )
    azure.managedidentity.UserAssignedIdentity(
        "another",
        resource_name_=pulumi.Output.concat(first.principal_id, second.principal_id),
        resource_group_name=GROUP,
        opts=pulumi.ResourceOptions(depends_on=[second]),
    )


def _asks_the_cloud() -> None:
    azure.authorization.get_client_config_output()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (_twice, "two resources have the URN"),
        (_component_twice, "two resources have the URN .*azure:Identity::faq;"),
        (_awaited_twice, "two resources have the URN .*::identity;"),
        (_asks_the_cloud, "getClientConfig"),
    ],
)
def test_what_the_engine_would_refuse_is_refused_at_once(program, message: str) -> None:
    refused: list[NotPlannable] = []

    def run() -> None:
        try:
            record_component(program)
        except NotPlannable as error:
            refused.append(error)

    # On a thread of its own: waiting for ever must be a failure, not a test run without end.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()
    (error,) = refused
    assert re.search(message, str(error))


def test_an_error_in_the_program_is_raised_and_the_next_recording_works(
    recording: Recording, capfd: pytest.CaptureFixture[str]
) -> None:
    def build() -> None:
        _identity()
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        record_component(build)
    assert record_component(_identity, stack="dev") == recording
    assert capfd.readouterr().err == ""


def test_an_error_inside_apply_is_raised() -> None:
    def build() -> None:
        azure.Provider("azure").id.apply(lambda _: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        record_component(build)


def _is_identity(resource: Recorded) -> bool:
    return resource.type.endswith(":UserAssignedIdentity")


def _waiting() -> None:
    """A resource whose name nothing will ever give."""
    name: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    azure.resources.ResourceGroup("waiting", resource_group_name=pulumi.Output.from_input(name))


def test_a_program_that_would_wait_for_ever_is_told_so() -> None:
    with pytest.raises(NotPlannable, match="waits for a value that nothing will give it"):
        record_component(_waiting)
    assert record_component(_identity, stack="dev").resources


@pytest.mark.parametrize("where", ["program", "callback"])
def test_an_interrupt_ends_a_recording_although_the_program_is_half_done(where: str) -> None:
    """Pulumi keeps an interrupt back until all that the program has begun is done. That came never:
    Ctrl-C left the command waiting.
    """

    def interrupted() -> None:
        raise KeyboardInterrupt("Ctrl-C")

    def program() -> None:
        _waiting()
        interrupted() if where == "program" else asyncio.get_running_loop().call_soon(interrupted)

    with pytest.raises(KeyboardInterrupt, match="Ctrl-C"):
        record_component(program)
    assert record_component(_identity, stack="dev").resources


def test_a_transform_changes_a_resource_and_what_is_made_of_it() -> None:
    def renamed(resource: Recorded) -> Recorded:
        if not _is_identity(resource):
            return resource
        return replace(
            resource,
            inputs={**resource.inputs, "resourceName": "id-other"},
            options=replace(resource.options, protect=False),
        )

    changed = record_component(_identity, transform=renamed)
    identity = changed.one(":UserAssignedIdentity")
    assert identity.inputs["resourceName"] == "id-other"
    assert not identity.options.protect
    credential = changed.one(":FederatedIdentityCredential")
    assert credential.inputs["resourceName"] == "id-other"


def test_a_transform_leaves_a_resource_out_while_the_program_goes_on() -> None:
    changed = record_component(
        _identity, transform=lambda resource: None if _is_identity(resource) else resource
    )
    assert not changed.of_type(":UserAssignedIdentity")
    assert changed.one(":FederatedIdentityCredential").inputs["resourceName"] == "id-scoring"


def test_a_kubernetes_object_without_a_name_gets_one_that_only_a_run_knows() -> None:
    def build() -> None:
        labels = kubernetes.meta.v1.ObjectMetaArgs(labels={"part-of": "scoring"})
        space = kubernetes.core.v1.Namespace("space", metadata=labels)
        pulumi.export("name", space.metadata["name"])

    recording = record_component(build)
    assert str(recording.outputs["name"]).startswith("<output of ")
