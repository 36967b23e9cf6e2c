from __future__ import annotations

from typing import Any

from infra.azure.access import ClusterAccess, ClusterAccessArgs
from infra.azure.operator_role import CLUSTER_OPERATOR
from infra.azure.place import Place
from infra.azure.roles import CLUSTER_RBAC_ADMIN, CLUSTER_RBAC_READER, CLUSTER_USER
from infra.recording import Recording, record_component
from infra.sections.access import AccessSettings
from tests.infra.azure.cluster_side import azure_options, group, inputs_of

CLUSTER = "/cluster"
NAMESPACE = "/cluster/namespaces/scoring"
ADMIN, OPERATOR, USER, READER, AZURE_OPERATOR = (group(number) for number in range(1, 6))
PERSON = {"object_id": USER, "user_principal_name": "ada@example.org"}


def record_access(place: Place, **settings: Any) -> Recording:
    access = AccessSettings.model_validate(settings)
    return record_component(
        lambda: ClusterAccess("access", ClusterAccessArgs(place, access, CLUSTER), azure_options())
    )


def granted(place: Place, **settings: Any) -> set[tuple[str, str, str]]:
    """Who, what and where; the role by the last part of its id."""
    return {
        (
            str(r.inputs["principalId"]),
            str(r.inputs["roleDefinitionId"]).rpartition("/")[2],
            str(r.inputs["scope"]),
        )
        for r in record_access(place, **settings).of_type(":RoleAssignment")
    }


def test_nobody_gets_anything_by_default(place: Place) -> None:
    recording = record_access(place)
    assert not recording.of_type(":RoleAssignment")
    assert not recording.of_type(":RoleDefinition")
    assert recording.one(":ClusterAccess").outputs == {"assignments": 0}


def test_admins_get_the_kubeconfig_and_everything_in_the_cluster(place: Place) -> None:
    assert granted(place, cluster_admin_groups=[ADMIN]) == {
        (ADMIN, CLUSTER_USER, CLUSTER),
        (ADMIN, CLUSTER_RBAC_ADMIN, CLUSTER),
    }


def test_readers_look_at_the_whole_cluster(place: Place) -> None:
    assert granted(place, reader_groups=[READER]) == {
        (READER, CLUSTER_USER, CLUSTER),
        (READER, CLUSTER_RBAC_READER, CLUSTER),
    }


def test_operators_look_at_the_services_alone(place: Place) -> None:
    found = granted(place, operator_groups=[OPERATOR], operator_users=[PERSON])
    assert found == {
        (OPERATOR, CLUSTER_USER, CLUSTER),
        (OPERATOR, CLUSTER_RBAC_READER, NAMESPACE),
        (USER, CLUSTER_USER, CLUSTER),
        (USER, CLUSTER_RBAC_READER, NAMESPACE),
    }


def test_users_are_not_taken_for_groups(place: Place) -> None:
    recording = record_access(place, operator_groups=[OPERATOR], operator_users=[PERSON])
    kinds = {
        (r.inputs["principalId"], r.inputs["principalType"])
        for r in recording.of_type(":RoleAssignment")
    }
    assert kinds == {(OPERATOR, "Group"), (USER, "User")}


def test_group_in_several_lists_gets_each_role_once(place: Place) -> None:
    """Azure refuses an assignment that is there already, whatever its name."""
    recording = record_access(
        place, cluster_admin_groups=[ADMIN, ADMIN], reader_groups=[ADMIN], operator_groups=[ADMIN]
    )
    assignments = [
        (r.inputs["principalId"], r.inputs["roleDefinitionId"], r.inputs["scope"])
        for r in recording.of_type(":RoleAssignment")
    ]
    assert len(assignments) == len(set(assignments)) == 4


class TestAzureOperators:
    def test_get_the_stacks_own_role_and_no_kubeconfig(self, place: Place) -> None:
        recording = record_access(place, azure_operator_groups=[AZURE_OPERATOR])
        role = recording.one(":RoleDefinition")
        assignment = recording.one(":RoleAssignment")
        assert assignment.inputs["roleDefinitionId"] == place.role_definition(
            role.inputs["roleDefinitionId"]
        )
        assert role.urn in assignment.options.depends_on
        assert assignment.inputs["principalId"] == AZURE_OPERATOR

    def test_role_and_assignment_end_at_the_resource_group(self, place: Place) -> None:
        recording = record_access(place, azure_operator_groups=[AZURE_OPERATOR])
        group_id = f"{place.subscription}/resourceGroups/rg-scoring-test"
        role = recording.one(":RoleDefinition")
        assert role.inputs["assignableScopes"] == [group_id]
        assert role.inputs["scope"] == group_id
        assert recording.one(":RoleAssignment").inputs["scope"] == group_id

    def test_role_neither_deletes_nor_reads_credentials_nor_data(self, place: Place) -> None:
        recording = record_access(place, azure_operator_groups=[AZURE_OPERATOR])
        (permission,) = inputs_of(recording.one(":RoleDefinition"))["permissions"]
        assert permission["actions"] == list(CLUSTER_OPERATOR.actions)
        assert permission["dataActions"] == []
        for action in permission["actions"]:
            assert "*" not in action
            assert not action.endswith("/delete")
            assert "credential" not in action.lower()

    def test_roles_of_two_stacks_have_two_names(self, place: Place) -> None:
        role = record_access(place, azure_operator_groups=[AZURE_OPERATOR]).one(":RoleDefinition")
        assert str(role.inputs["roleName"]).startswith("scoring test cluster operator ")


def test_names_of_assignments_are_stable_guids(place: Place) -> None:
    one = record_access(place, cluster_admin_groups=[ADMIN])
    two = record_access(place, cluster_admin_groups=[ADMIN])
    assert one == two
    names = [r.inputs["roleAssignmentName"] for r in one.of_type(":RoleAssignment")]
    assert len(set(names)) == 2
