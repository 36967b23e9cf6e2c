from __future__ import annotations

import pytest

from infra.azure.cluster import log_categories
from infra.azure.place import Place
from infra.mistakes import SettingsRefused
from infra.recording import Recording
from infra.sections.monitoring import LogSettings
from tests.infra.azure.cluster_side import (
    PROVIDER,
    WORKSPACE_ID,
    cluster_of,
    group,
    inputs_of,
    record_cluster,
    settings_of,
)
from tests.infra.conftest import TENANT
from tests.infra.plans import recording_of

PRIVATE = {"private": True}
SUBNET_ID = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/hub/providers"
    "/Microsoft.Network/virtualNetworks/hub/subnets/nodes"
)


@pytest.fixture
def recording(place: Place) -> Recording:
    return record_cluster(place, settings_of())


def test_nobody_signs_in_but_by_entra(place: Place) -> None:
    inputs = inputs_of(cluster_of(place))
    assert inputs["disableLocalAccounts"] is True
    assert inputs["enableRBAC"] is True
    assert inputs["aadProfile"] == {"managed": True, "enableAzureRBAC": True, "tenantID": TENANT}


def test_pods_sign_in_by_workload_identity(place: Place) -> None:
    inputs = inputs_of(cluster_of(place))
    assert inputs["oidcIssuerProfile"] == {"enabled": True}
    assert inputs["securityProfile"]["workloadIdentity"] == {"enabled": True}


def test_roles_are_there_before_the_cluster(recording: Recording) -> None:
    cluster = recording.one(":ManagedCluster")
    roles = {r.urn for r in recording.of_type(":RoleAssignment")}
    assert len(roles) == 4
    assert roles <= set(cluster.options.depends_on)


def test_nodes_get_the_identity_that_was_made_for_them(recording: Recording) -> None:
    inputs = inputs_of(recording.one(":ManagedCluster"))
    kubelet = recording.one(":UserAssignedIdentity", "identities-kubelet").urn
    control_plane = recording.one(":UserAssignedIdentity", "identities-control-plane").urn
    assert inputs["identity"]["userAssignedIdentities"] == [f"<output of {control_plane}.id>"]
    assert inputs["identityProfile"] == {
        "kubeletidentity": {
            "resourceId": f"<output of {kubelet}.id>",
            "clientId": f"<output of {kubelet}.clientId>",
            "objectId": f"<output of {kubelet}.principalId>",
        }
    }


class TestNetwork:
    def test_overlay_with_cilium(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place))["networkProfile"]
        assert inputs["networkPlugin"] == "azure"
        assert inputs["networkPluginMode"] == "overlay"
        assert inputs["networkDataplane"] == inputs["networkPolicy"] == "cilium"
        assert inputs["loadBalancerSku"] == "standard"

    def test_ranges_are_those_of_the_settings(self, place: Place) -> None:
        inputs = inputs_of(
            cluster_of(
                place,
                network={
                    "pod_range": "10.200.0.0/16",
                    "service_range": "10.201.0.0/16",
                    "dns_service_address": "10.201.0.10",
                },
            )
        )["networkProfile"]
        assert inputs["podCidr"] == "10.200.0.0/16"
        assert inputs["serviceCidr"] == "10.201.0.0/16"
        assert inputs["dnsServiceIP"] == "10.201.0.10"

    def test_traffic_leaves_by_the_stacks_nat_gateway(self, place: Place) -> None:
        profile = inputs_of(cluster_of(place))["networkProfile"]
        assert profile["outboundType"] == "userAssignedNATGateway"

    def test_traffic_leaves_an_existing_subnet_by_its_own_routes(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place, network={"existing_nodes_subnet_id": SUBNET_ID}))
        assert inputs["networkProfile"]["outboundType"] == "userDefinedRouting"
        assert inputs["agentPoolProfiles"][0]["vnetSubnetID"] == SUBNET_ID


class TestApiServer:
    def test_private(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place, cluster=PRIVATE))
        assert inputs["apiServerAccessProfile"] == {
            "disableRunCommand": True,
            "enablePrivateCluster": True,
            "enablePrivateClusterPublicFQDN": True,
            "privateDNSZone": "none",
        }
        assert inputs["publicNetworkAccess"] == "Disabled"

    def test_nodes_are_among_the_authorised(self, place: Place) -> None:
        settings = settings_of(
            cluster={"authorized_ip_ranges": ["203.0.113.0/24"]}, network={"nat": {"public_ips": 2}}
        )
        recording = record_cluster(place, settings)
        addresses = [r.urn for r in recording.of_type(":PublicIPAddress")]
        profile = inputs_of(recording.one(":ManagedCluster"))["apiServerAccessProfile"]
        assert len(addresses) == 2
        assert profile["authorizedIPRanges"] == [
            "203.0.113.0/24",
            *(f"<output of {urn}.ipAddress>/32" for urn in addresses),
        ]

    def test_without_ranges_nobody_is_locked_out(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place))
        assert "authorizedIPRanges" not in inputs["apiServerAccessProfile"]
        assert inputs["publicNetworkAccess"] == "Enabled"

    @pytest.mark.parametrize("cluster", [PRIVATE, {}])
    def test_run_command_is_off(self, place: Place, cluster: dict[str, bool]) -> None:
        profile = inputs_of(cluster_of(place, cluster=cluster))["apiServerAccessProfile"]
        assert profile["disableRunCommand"] is True


class TestSystemPool:
    def test_is_the_only_pool_declared_inline(self, place: Place) -> None:
        (pool,) = inputs_of(cluster_of(place))["agentPoolProfiles"]
        assert pool["mode"] == "System"

    def test_takes_nothing_but_kubernetes_own_pods(self, place: Place) -> None:
        (pool,) = inputs_of(cluster_of(place))["agentPoolProfiles"]
        assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]

    def test_system_and_disk(self, place: Place) -> None:
        (pool,) = inputs_of(cluster_of(place))["agentPoolProfiles"]
        assert pool["osSKU"] == "AzureLinux3"
        assert pool["osDiskType"] == "Ephemeral"
        assert pool["maxPods"] >= 50
        assert pool["enableNodePublicIP"] is False
        assert pool["localDNSProfile"] == {"mode": "Disabled"}

    def test_scales_between_the_bounds_over_the_zones(self, place: Place) -> None:
        (pool,) = inputs_of(
            cluster_of(
                place,
                cluster={
                    "zones": ["1", "2", "3"],
                    "system_pool": {"min_nodes": 3, "max_nodes": 5},
                },
            )
        )["agentPoolProfiles"]
        assert pool["enableAutoScaling"] is True
        assert (pool["count"], pool["minCount"], pool["maxCount"]) == (3, 3, 5)
        assert pool["availabilityZones"] == ["1", "2", "3"]

    def test_no_zones_are_left_out(self, place: Place) -> None:
        (pool,) = inputs_of(cluster_of(place))["agentPoolProfiles"]
        assert "availabilityZones" not in pool

    def test_node_that_cannot_be_drained_is_set_aside(self, place: Place) -> None:
        (pool,) = inputs_of(cluster_of(place))["agentPoolProfiles"]
        assert pool["upgradeSettings"] == {
            "maxSurge": "33%",
            "drainTimeoutInMinutes": 30,
            "undrainableNodeBehavior": "Cordon",
        }


class TestDrift:
    def test_autoscaler_and_upgrades_are_not_put_back(self, place: Place) -> None:
        cluster = cluster_of(place, cluster={"upgrades": {"channel": "patch"}})
        assert cluster.options.ignore_changes == (
            "agentPoolProfiles[0].count",
            "kubernetesVersion",
            "agentPoolProfiles[0].orchestratorVersion",
        )

    def test_versions_are_ours_where_azure_upgrades_nothing(self, place: Place) -> None:
        cluster = cluster_of(place, cluster={"upgrades": {"channel": "none"}})
        assert cluster.options.ignore_changes == ("agentPoolProfiles[0].count",)


class TestAddOns:
    """The names of add-ons and options are Azure's; a misspelt one is silently forgotten."""

    def test_smallest(self, place: Place) -> None:
        assert inputs_of(cluster_of(place))["addonProfiles"] == {
            "omsagent": {
                "enabled": True,
                "config": {
                    "logAnalyticsWorkspaceResourceID": WORKSPACE_ID,
                    "useAADAuth": "true",
                },
            },
            "azurepolicy": {"enabled": False},
            "azureKeyvaultSecretsProvider": {"enabled": False},
            "kubeDashboard": {"enabled": False},
        }

    def test_secrets_of_the_vault_are_read_again(self, place: Place) -> None:
        security = {"key_vault": {"enabled": True, "rotation_poll_minutes": 7}}
        add_ons = inputs_of(cluster_of(place, security=security))["addonProfiles"]
        assert add_ons["azureKeyvaultSecretsProvider"] == {
            "enabled": True,
            "config": {"enableSecretRotation": "true", "rotationPollInterval": "7m"},
        }

    @pytest.mark.parametrize("security", [{"azure_policy": "audit"}, {"safeguards": "Warn"}])
    def test_policies_need_their_add_on(self, place: Place, security: dict[str, str]) -> None:
        add_ons = inputs_of(cluster_of(place, security=security))["addonProfiles"]
        assert add_ons["azurepolicy"] == {"enabled": True, "config": {"version": "v2"}}


class TestAutoscaler:
    def test_numbers_are_strings_with_units(self, place: Place) -> None:
        chosen = {
            "expander": "most-pods",
            "scan_interval_seconds": 20,
            "scale_down_unneeded_minutes": 11,
            "scale_down_after_add_minutes": 12,
            "node_provision_minutes": 13,
        }
        profile = inputs_of(cluster_of(place, cluster={"autoscaler": chosen}))["autoScalerProfile"]
        assert profile["expander"] == "most-pods"
        assert profile["scanInterval"] == "20s"
        assert profile["scaleDownUnneededTime"] == "11m"
        assert profile["scaleDownDelayAfterAdd"] == "12m"
        assert profile["maxNodeProvisionTime"] == "13m"
        flags = {
            "ignoreDaemonsetsUtilization",
            "daemonsetEvictionForEmptyNodes",
            "daemonsetEvictionForOccupiedNodes",
        }
        assert all(isinstance(value, str) for key, value in profile.items() if key not in flags)
        assert all(isinstance(profile[flag], bool) for flag in flags)

    def test_pods_with_temporary_files_do_not_keep_a_node(self, place: Place) -> None:
        profile = inputs_of(cluster_of(place))["autoScalerProfile"]
        assert profile["skipNodesWithLocalStorage"] == "false"

    def test_waits_for_the_slowest_pod_that_settings_allow(self, place: Place) -> None:
        slowest = {"drain_seconds": 120, "stop_seconds": 300}
        profile = inputs_of(cluster_of(place, faq=slowest))["autoScalerProfile"]
        assert int(profile["maxGracefulTerminationSec"]) > sum(slowest.values())
        for longer in ({"drain_seconds": 121}, {"stop_seconds": 301}):
            with pytest.raises(SettingsRefused):
                settings_of(faq=longer)

    def test_keda_only_where_a_service_scales_on_its_queue(self, place: Place) -> None:
        queue = {"scaling": {"metric": "queue"}}
        with_prometheus = {"prometheus": True}
        on = inputs_of(cluster_of(place, resnet=queue, monitoring=with_prometheus))
        off = inputs_of(
            cluster_of(place, resnet={**queue, "enabled": False}, monitoring=with_prometheus)
        )
        assert on["workloadAutoScalerProfile"]["keda"] == {"enabled": True}
        assert off["workloadAutoScalerProfile"]["keda"] == {"enabled": False}

    def test_vertical_autoscaler_on_request(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place, cluster={"vertical_pod_autoscaler": True}))
        profile = inputs["workloadAutoScalerProfile"]
        assert profile["verticalPodAutoscaler"] == {"enabled": True}

    def test_nodes_are_not_provisioned_by_anybody_else(self, place: Place) -> None:
        assert inputs_of(cluster_of(place))["nodeProvisioningProfile"]["mode"] == "Manual"


class TestSecurity:
    def test_unused_images_are_removed(self, place: Place) -> None:
        profile = inputs_of(cluster_of(place, cluster={"image_cleaner_hours": 24}))
        assert profile["securityProfile"]["imageCleaner"] == {"enabled": True, "intervalHours": 24}

    def test_defender_sensor_on_request(self, place: Place) -> None:
        security = {"defender": {"plan": "elsewhere", "cluster_profile": True}}
        profile = inputs_of(cluster_of(place, security=security))["securityProfile"]
        assert profile["defender"] == {
            "logAnalyticsWorkspaceResourceId": WORKSPACE_ID,
            "securityMonitoring": {"enabled": True},
        }
        assert "defender" not in inputs_of(cluster_of(place))["securityProfile"]

    def test_nobody_changes_the_nodes_behind_aks(self, place: Place) -> None:
        inputs = inputs_of(cluster_of(place))
        assert inputs["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}
        assert inputs["nodeResourceGroup"] == "rg-scoring-test-nodes"

    def test_no_storage_driver_runs(self, place: Place) -> None:
        drivers = inputs_of(cluster_of(place))["storageProfile"]
        assert len(drivers) == 4
        assert all(driver == {"enabled": False} for driver in drivers.values())


@pytest.mark.parametrize(
    ("tier", "plan"),
    [
        ("Free", "KubernetesOfficial"),
        ("Standard", "KubernetesOfficial"),
        ("Premium", "AKSLongTermSupport"),
    ],
)
def test_tier_and_support(place: Place, tier: str, plan: str) -> None:
    inputs = inputs_of(cluster_of(place, cluster={"tier": tier}))
    assert inputs["sku"] == {"name": "Base", "tier": tier}
    assert inputs["supportPlan"] == plan


def test_costs_by_namespace_on_request(place: Place) -> None:
    inputs = inputs_of(cluster_of(place, cluster={"tier": "Standard", "cost_analysis": True}))
    assert inputs["metricsProfile"] == {"costAnalysis": {"enabled": True}}


@pytest.mark.parametrize("wanted", [True, False])
def test_metrics_are_collected_for_managed_prometheus(place: Place, wanted: bool) -> None:
    inputs = inputs_of(cluster_of(place, monitoring={"prometheus": wanted}))
    assert inputs["azureMonitorProfile"] == {"metrics": {"enabled": wanted}}


def test_upgrade_channels(place: Place) -> None:
    upgrades = {"channel": "stable", "node_image_channel": "SecurityPatch"}
    inputs = inputs_of(cluster_of(place, cluster={"upgrades": upgrades}))
    assert inputs["autoUpgradeProfile"] == {
        "upgradeChannel": "stable",
        "nodeOSUpgradeChannel": "SecurityPatch",
    }


class TestLogs:
    @pytest.mark.parametrize(
        ("audit", "wanted", "unwanted"),
        [
            ("off", set[str](), {"kube-audit", "kube-audit-admin"}),
            ("admin", {"kube-audit-admin"}, {"kube-audit"}),
            ("all", {"kube-audit"}, {"kube-audit-admin"}),
        ],
    )
    def test_audit_as_wanted(self, audit: str, wanted: set[str], unwanted: set[str]) -> None:
        categories = set(log_categories(LogSettings.model_validate({"audit": audit})))
        assert wanted <= categories
        assert not unwanted & categories
        assert {"guard", "cluster-autoscaler", "kube-controller-manager"} <= categories

    def test_go_to_the_workspace(self, recording: Recording) -> None:
        setting = recording.one(":DiagnosticSetting", "cluster-diagnostics")
        cluster = recording.one(":ManagedCluster")
        assert setting.inputs["workspaceId"] == WORKSPACE_ID
        assert setting.inputs["resourceUri"] == f"<output of {cluster.urn}.id>"
        logs = inputs_of(setting)["logs"]
        assert {log["category"] for log in logs} == set(log_categories(LogSettings()))


def test_cluster_is_protected_but_not_locked(recording: Recording) -> None:
    assert recording.one(":ManagedCluster").options.protect is True
    everything = recording_of("prod")
    cluster_id = f"<output of {everything.one(':ManagedCluster').urn}.id>"
    locked = {r.inputs["scope"] for r in everything.of_type(":ManagementLockByScope")}
    assert locked
    assert cluster_id not in locked


def test_component_has_its_children_provider_and_outputs(recording: Recording) -> None:
    component = recording.one("azure:Cluster")
    cluster = recording.one(":ManagedCluster")
    assert cluster.parent == component.urn
    assert cluster.options.provider == PROVIDER
    assert component.outputs == {
        "id": f"<output of {cluster.urn}.id>",
        "name": "aks-scoring-test",
        "oidc_issuer_url": f"<output of {cluster.urn}.oidcIssuerProfile.issuerURL>",
    }


def test_admins_are_roles_not_a_list_in_the_cluster(place: Place) -> None:
    inputs = inputs_of(cluster_of(place, access={"cluster_admin_groups": [group(1)]}))
    assert "adminGroupObjectIDs" not in inputs["aadProfile"]
