"""Managed Grafana over managed Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.azure.roles import (
    GRAFANA_ADMIN,
    GRAFANA_VIEWER,
    MONITORING_DATA_READER,
    MONITORING_READER,
    Grant,
    assign,
)


@dataclass(frozen=True)
class DashboardsArgs:
    """Arguments of :class:`Dashboards`.

    Attributes:
        place: where it goes.
        prometheus_workspace_id: the Azure Monitor workspace that it shows.
        zone_redundant: whether it outlives a zone; it cannot be changed later.
        workspace_id: Log Analytics workspace of its sign-ins.
        admin_groups: Entra groups that may change dashboards and data sources.
        viewer_groups: Entra groups that may look at them.
    """

    place: Place
    prometheus_workspace_id: pulumi.Input[str]
    zone_redundant: bool
    workspace_id: pulumi.Input[str]
    admin_groups: Sequence[str] = ()
    viewer_groups: Sequence[str] = ()


class Dashboards(pulumi.ComponentResource):
    """A managed Grafana instance that reads the stack's metrics as itself, without any key.

    It is reached over the internet and lets nobody in without Entra; API keys and service account
    tokens are off. Dashboards of the services are in infra/dashboards/services.json: Azure's API
    makes the instance, Grafana's own API makes dashboards, so they are imported by
    `az grafana dashboard create`.

    Attributes:
        url: where it is opened.
    """

    url: pulumi.Output[str]

    def __init__(
        self, name: str, args: DashboardsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Dashboards", name, None, opts)
        grafana = self._grafana(name, args)
        # Of its metrics Azure lets none be sent on; its logs are sign-ins.
        send_diagnostics(
            f"{name}-grafana", args.place, grafana, args.workspace_id, metrics=False, parent=self
        )
        self._let_it_read(name, args, grafana)
        self._let_people_in(name, args, grafana)
        self.url = grafana.properties.apply(lambda properties: properties.endpoint)
        self.register_outputs({"url": self.url})

    def _grafana(self, name: str, args: DashboardsArgs) -> azure.dashboard.Grafana:
        place = args.place
        redundancy = azure.dashboard.ZoneRedundancy
        return azure.dashboard.Grafana(
            f"{name}-grafana",
            workspace_name=place.naming.globally_unique("graf", longest=23),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            sku=azure.dashboard.ResourceSkuArgs(name="Standard"),
            identity=azure.dashboard.ManagedServiceIdentityArgs(
                type=azure.dashboard.ManagedServiceIdentityType.SYSTEM_ASSIGNED
            ),
            # No grafana_major_version: Azure retires majors within a year or so, and a stack that
            # named one would then fail to be made anew.
            properties=azure.dashboard.ManagedGrafanaPropertiesArgs(
                api_key=azure.dashboard.ApiKey.DISABLED,
                public_network_access=azure.dashboard.PublicNetworkAccess.ENABLED,
                deterministic_outbound_ip=azure.dashboard.DeterministicOutboundIP.DISABLED,
                zone_redundancy=redundancy.ENABLED if args.zone_redundant else redundancy.DISABLED,
                grafana_configurations=azure.dashboard.GrafanaConfigurationsArgs(
                    # Snapshots would leave Azure for a public site.
                    snapshots=azure.dashboard.SnapshotsArgs(external_enabled=False),
                    users=azure.dashboard.UsersArgs(viewers_can_edit=False),
                ),
                grafana_integrations=azure.dashboard.GrafanaIntegrationsArgs(
                    azure_monitor_workspace_integrations=[
                        azure.dashboard.AzureMonitorWorkspaceIntegrationArgs(
                            azure_monitor_workspace_resource_id=args.prometheus_workspace_id
                        )
                    ]
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _let_it_read(
        self, name: str, args: DashboardsArgs, grafana: azure.dashboard.Grafana
    ) -> None:
        principal_id = grafana.identity.apply(
            lambda identity: identity.principal_id if identity else ""
        )
        for what, role_id, scope, why in (
            (
                "metrics",
                MONITORING_DATA_READER,
                args.prometheus_workspace_id,
                "Managed Grafana asks managed Prometheus",
            ),
            (
                "resources",
                MONITORING_READER,
                args.place.resource_group_id,
                "Managed Grafana shows metrics and logs of the stack's resources",
            ),
        ):
            grant = Grant(
                role_id=role_id,
                scope=scope,
                principal_id=principal_id,
                principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
                description=why,
            )
            assign(f"{name}-reads-{what}", args.place, grant, pulumi.ResourceOptions(parent=self))

    def _let_people_in(
        self, name: str, args: DashboardsArgs, grafana: azure.dashboard.Grafana
    ) -> None:
        for role, role_id, groups in (
            ("admin", GRAFANA_ADMIN, args.admin_groups),
            ("viewer", GRAFANA_VIEWER, args.viewer_groups),
        ):
            for group in dict.fromkeys(groups):
                grant = Grant(
                    role_id=role_id,
                    scope=grafana.id,
                    principal_id=group,
                    principal_type=azure.authorization.PrincipalType.GROUP,
                    description=f"Members are Grafana's {role}s",
                )
                assign(
                    f"{name}-{role}-{group}", args.place, grant, pulumi.ResourceOptions(parent=self)
                )
