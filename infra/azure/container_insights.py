"""Azure Monitor for containers: which logs and inventories leave the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.sections.monitoring import LogSettings

EXTENSION = "ContainerInsights"
EXTENSION_INSTANCE = "ContainerInsightsExtension"
"""Name of the data source and of the association, as AKS' own onboarding chooses it."""
DESTINATION = "logs"
INTERVAL = "5m"
"""How often inventories are taken; at one minute they cost more than the containers' logs do."""

STREAMS = (
    "Microsoft-ContainerLogV2",
    "Microsoft-KubeEvents",
    "Microsoft-KubePodInventory",
    "Microsoft-KubeNodeInventory",
    "Microsoft-KubePVInventory",
    "Microsoft-KubeServices",
    "Microsoft-KubeMonAgentEvents",
    "Microsoft-InsightsMetrics",
    "Microsoft-ContainerInventory",
    "Microsoft-ContainerNodeInventory",
    "Microsoft-Perf",
)
"""All that Container Insights shows, but for the first version of the container log's table.

Source: learn.microsoft.com/azure/azure-monitor/containers/container-insights-data-collection-filter
"""

SYSTEM_NAMESPACES = ("kube-system", "gatekeeper-system", "azure-arc")
"""Those that Azure's own rule leaves out: what they write is Azure's to read."""


@dataclass(frozen=True)
class ContainerInsightsArgs:
    """Arguments of :class:`ContainerInsights`.

    Attributes:
        place: where it goes; the rule has to be in the workspace's region.
        logs: which namespaces are collected.
        cluster_id: the cluster whose agent takes the rule.
        workspace_id: where the logs go.
    """

    place: Place
    logs: LogSettings
    cluster_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]


class ContainerInsights(pulumi.ComponentResource):
    """The data collection rule of the cluster's monitoring add-on, and its association.

    With Entra sign-in the add-on by itself collects nothing: the rule says what it collects.

    Attributes:
        rule_id: the data collection rule's resource id.
    """

    rule_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: ContainerInsightsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:ContainerInsights", name, None, opts)
        rule = self._rule(name, args)
        # Data collection rules have no metrics that can be sent on.
        send_diagnostics(
            f"{name}-rule", args.place, rule, args.workspace_id, metrics=False, parent=self
        )
        azure.monitor.DataCollectionRuleAssociation(
            f"{name}-association",
            association_name=EXTENSION_INSTANCE,
            resource_uri=args.cluster_id,
            data_collection_rule_id=rule.id,
            description="What the cluster's monitoring add-on collects",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.rule_id = rule.id
        self.register_outputs({"rule_id": rule.id})

    def _rule(self, name: str, args: ContainerInsightsArgs) -> azure.monitor.DataCollectionRule:
        place = args.place
        return azure.monitor.DataCollectionRule(
            f"{name}-rule",
            data_collection_rule_name=place.naming.resource("dcr", "containers"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            kind=azure.monitor.KnownDataCollectionRuleResourceKind.LINUX,
            description="Logs, events and inventories of the cluster",
            data_sources=azure.monitor.DataCollectionRuleDataSourcesArgs(
                extensions=[
                    azure.monitor.ExtensionDataSourceArgs(
                        name=EXTENSION_INSTANCE,
                        extension_name=EXTENSION,
                        streams=list(STREAMS),
                        extension_settings=_extension_settings(args.logs),
                    )
                ]
            ),
            destinations=azure.monitor.DataCollectionRuleDestinationsArgs(
                log_analytics=[
                    azure.monitor.LogAnalyticsDestinationArgs(
                        name=DESTINATION, workspace_resource_id=args.workspace_id
                    )
                ]
            ),
            data_flows=[
                azure.monitor.DataFlowArgs(streams=list(STREAMS), destinations=[DESTINATION])
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _extension_settings(logs: LogSettings) -> dict[str, object]:
    """The agent's settings; their keys go out as they are written here."""
    filtering: dict[str, object] = (
        {"namespaceFilteringMode": "Off"}
        if logs.system_namespaces
        else {"namespaceFilteringMode": "Exclude", "namespaces": list(SYSTEM_NAMESPACES)}
    )
    return {
        "dataCollectionSettings": {
            "interval": INTERVAL,
            "enableContainerLogV2": True,
            **filtering,
        }
    }
