"""Flow logs of the virtual network, in a storage account that nothing else uses."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.azure.roles import STORAGE_BLOB_DATA_CONTRIBUTOR, Grant, assign
from infra.azure.user_identity import user_identity
from infra.sections.network import FlowLogSettings

WATCHER_RESOURCE_GROUP = "NetworkWatcherRG"
"""Azure makes it, and a network watcher for each region, with a subscription's first network
(learn.microsoft.com/azure/network-watcher/network-watcher-create)."""
CONTAINER_PREFIX = "insights-logs-flowlogflowevent"
"""Where flow logs are written
(learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview)."""
UNDELETE_DAYS = 7
"""How long deleted logs can be had back."""


@dataclass(frozen=True)
class FlowLogsArgs:
    """What :class:`FlowLogs` needs.

    Attributes:
        place: where it goes.
        settings: how long flow logs are kept.
        network_id: the virtual network.
        zone_redundant: whether the logs survive the loss of a zone.
        workspace_id: where the storage account's own logs go.
    """

    place: Place
    settings: FlowLogSettings
    network_id: pulumi.Input[str]
    zone_redundant: bool
    workspace_id: pulumi.Input[str]


class FlowLogs(pulumi.ComponentResource):
    """A virtual network's flow log and the storage account that holds it.

    Attributes:
        storage_account_id: resource id of the storage account.
    """

    storage_account_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:FlowLogs", name, None, opts)
        account = self._storage(name, args)
        self._retention(name, args, account)
        identity, permission = self._writer(name, args, account)
        azure.network.FlowLog(
            f"{name}-log",
            flow_log_name=args.place.naming.resource("fl"),
            network_watcher_name=f"NetworkWatcher_{args.place.location}",
            resource_group_name=WATCHER_RESOURCE_GROUP,
            location=args.place.location,
            target_resource_id=args.network_id,
            storage_id=account.id,
            enabled=True,
            format=azure.network.FlowLogFormatParametersArgs(
                type=azure.network.FlowLogFormatType.JSON, version=2
            ),
            identity=azure.network.ManagedServiceIdentityArgs(
                type=azure.network.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[identity.id],
            ),
            retention_policy=azure.network.RetentionPolicyParametersArgs(
                enabled=True, days=args.settings.retention_days
            ),
            tags=args.place.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        self.storage_account_id = account.id
        self.register_outputs({"storage_account_id": self.storage_account_id})

    def _storage(self, name: str, args: FlowLogsArgs) -> azure.storage.StorageAccount:
        """Closed to everybody but Azure's own services, and to them by identity, not by key."""
        place = args.place
        sku = azure.storage.SkuName
        account = azure.storage.StorageAccount(
            f"{name}-storage",
            account_name=place.naming.globally_unique("stflow", longest=24),
            resource_group_name=place.resource_group_name,
            location=place.location,
            kind=azure.storage.Kind.STORAGE_V2,
            sku=azure.storage.SkuArgs(
                name=sku.STANDARD_ZRS if args.zone_redundant else sku.STANDARD_LRS
            ),
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            allow_shared_key_access=False,
            allowed_copy_scope=azure.storage.AllowedCopyScope.AAD,
            default_to_o_auth_authentication=True,
            is_local_user_enabled=False,
            enable_https_traffic_only=True,
            minimum_tls_version=azure.storage.MinimumTlsVersion.TLS1_2,
            encryption=azure.storage.EncryptionArgs(
                key_source=azure.storage.KeySource.MICROSOFT_STORAGE,
                require_infrastructure_encryption=True,
            ),
            public_network_access=azure.storage.PublicNetworkAccess.ENABLED,
            network_rule_set=azure.storage.NetworkRuleSetArgs(
                default_action=azure.storage.DefaultAction.DENY,
                bypass=azure.storage.Bypass.AZURE_SERVICES,
            ),
            tags=place.tags,
            opts=place.keep(self),
        )
        place.locks.put_on(f"{name}-storage", account)
        send_diagnostics(
            f"{name}-storage", place, account, args.workspace_id, logs=False, parent=self
        )
        return account

    def _retention(
        self, name: str, args: FlowLogsArgs, account: azure.storage.StorageAccount
    ) -> None:
        place = args.place
        undelete = azure.storage.DeleteRetentionPolicyArgs(enabled=True, days=UNDELETE_DAYS)
        blobs = azure.storage.BlobServiceProperties(
            f"{name}-blobs",
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=place.resource_group_name,
            delete_retention_policy=undelete,
            container_delete_retention_policy=undelete,
            opts=pulumi.ResourceOptions(parent=self),
        )
        place.locks.hold_back(blobs)
        # Who reads or deletes the logs; that they are written, once a minute, is no news.
        send_diagnostics(
            f"{name}-blobs",
            place,
            blobs,
            args.workspace_id,
            categories=("StorageDelete", "StorageRead"),
            parent=self,
        )
        old = azure.storage.DateAfterModificationArgs(
            days_after_modification_greater_than=args.settings.retention_days
        )
        # The flow log's own retention is not always carried out; this rule is.
        policy = azure.storage.ManagementPolicy(
            f"{name}-retention",
            management_policy_name="default",
            account_name=account.name,
            resource_group_name=place.resource_group_name,
            policy=azure.storage.ManagementPolicySchemaArgs(
                rules=[
                    azure.storage.ManagementPolicyRuleArgs(
                        name="delete-old-flow-logs",
                        enabled=True,
                        type=azure.storage.RuleType.LIFECYCLE,
                        definition=azure.storage.ManagementPolicyDefinitionArgs(
                            filters=azure.storage.ManagementPolicyFilterArgs(
                                blob_types=["blockBlob"], prefix_match=[CONTAINER_PREFIX]
                            ),
                            actions=azure.storage.ManagementPolicyActionArgs(
                                base_blob=azure.storage.ManagementPolicyBaseBlobArgs(delete=old)
                            ),
                        ),
                    )
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        place.locks.hold_back(policy)

    def _writer(
        self, name: str, args: FlowLogsArgs, account: azure.storage.StorageAccount
    ) -> tuple[azure.managedidentity.UserAssignedIdentity, pulumi.Resource]:
        """Who writes the flow logs.

        Source: learn.microsoft.com/azure/network-watcher/vnet-flow-logs-managed-identity
        """
        place = args.place
        identity = user_identity(f"{name}-identity", place, "flow-logs", self)
        permission = assign(
            f"{name}-write",
            place,
            Grant(
                role_id=STORAGE_BLOB_DATA_CONTRIBUTOR,
                scope=account.id,
                principal_id=identity.principal_id,
                principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                description="Network Watcher writes the virtual network's flow logs.",
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return identity, permission
