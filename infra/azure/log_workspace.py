"""Log Analytics, where logs and diagnostics go."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.existing_resource import (
    ExistingResource,
    ExistingResources,
    ExistingResourcesArgs,
)
from infra.azure.place import Place
from infra.sections.monitoring import LogSettings

CONTAINER_LOGS = "ContainerLogV2"
TABLE_VERSION = "2023-09-01"
NO_CAP_GB = -1.0
"""What Azure takes for no daily cap."""


@dataclass(frozen=True)
class LogWorkspaceArgs:
    """Arguments of :class:`LogWorkspace`.

    Attributes:
        place: where it goes.
        logs: retention, cap and plan, or the workspace to use instead.
    """

    place: Place
    logs: LogSettings


class LogWorkspace(pulumi.ComponentResource):
    """A Log Analytics workspace, new or another team's.

    Of another team's workspace nothing is declared and nothing is changed.

    Attributes:
        id: the workspace's resource id.
    """

    id: pulumi.Output[str]

    def __init__(
        self, name: str, args: LogWorkspaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:LogWorkspace", name, None, opts)
        if args.logs.existing_workspace_id is not None:
            self.id = pulumi.Output.from_input(args.logs.existing_workspace_id)
        else:
            self.id = self._declare(name, args.place, args.logs).id
        self.register_outputs({"id": self.id})

    def _declare(
        self, name: str, place: Place, logs: LogSettings
    ) -> azure.operationalinsights.Workspace:
        workspace = azure.operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=place.naming.resource("log"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            sku=azure.operationalinsights.WorkspaceSkuArgs(
                name=azure.operationalinsights.WorkspaceSkuNameEnum.PER_GB2018
            ),
            retention_in_days=logs.retention_days,
            workspace_capping=azure.operationalinsights.WorkspaceCappingArgs(
                daily_quota_gb=NO_CAP_GB if logs.daily_cap_gb is None else logs.daily_cap_gb
            ),
            features=azure.operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True,
                enable_log_access_using_only_resource_permissions=True,
            ),
            # Agents and queries sign in with Entra; a network of its own would need a private
            # link scope, which is one per network and so not this stack's to declare.
            public_network_access_for_ingestion=azure.operationalinsights.PublicNetworkAccessType.ENABLED,
            public_network_access_for_query=azure.operationalinsights.PublicNetworkAccessType.ENABLED,
            opts=place.keep(self),
        )
        place.locks.put_on(f"{name}-workspace", workspace)
        send_diagnostics(f"{name}-workspace", place, workspace, workspace.id, parent=self)
        if logs.container_logs_plan == "Basic":
            self._make_container_logs_basic(name, place, logs, workspace)
        return workspace

    def _make_container_logs_basic(
        self,
        name: str,
        place: Place,
        logs: LogSettings,
        workspace: azure.operationalinsights.Workspace,
    ) -> None:
        """Choose the cheaper plan of the container logs' table.

        The table is in every workspace before anything writes to it, and cannot be deleted.
        Analytics is its own default and is not declared. The interactive retention of a Basic table
        is fixed; what can be chosen is the total
        (learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure).
        """
        ExistingResources(
            f"{name}-container-logs",
            ExistingResourcesArgs(
                place,
                "container-logs",
                [
                    ExistingResource(
                        "Microsoft.OperationalInsights/workspaces/tables",
                        TABLE_VERSION,
                        pulumi.Output.concat(workspace.name, "/", CONTAINER_LOGS),
                        {"plan": "Basic", "totalRetentionInDays": logs.retention_days},
                    )
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )
