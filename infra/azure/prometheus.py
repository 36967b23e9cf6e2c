"""Managed Prometheus: where the cluster's metrics go, and how."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.diagnostics import send_diagnostics
from infra.azure.place import Place
from infra.azure.prometheus_rules import RuleGroup, declare_group, recording_args
from infra.azure.recording_rules import (
    KUBERNETES_RECORDINGS,
    NODE_RECORDINGS,
    SERVICE_RECORDINGS,
)

STREAM = azure.monitor.KnownPrometheusForwarderDataSourceStreams.MICROSOFT_PROMETHEUS_METRICS
DESTINATION = "prometheus"
ENDPOINT_ASSOCIATION = "configurationAccessEndpoint"
"""The one name that Azure takes for the association of a data collection endpoint."""


@dataclass(frozen=True)
class PrometheusArgs:
    """Arguments of :class:`Prometheus`.

    Attributes:
        place: where it goes.
        cluster_id: the cluster whose metrics add-on sends them.
        workspace_id: Log Analytics workspace of the collection's own errors.
    """

    place: Place
    cluster_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]


class Prometheus(pulumi.ComponentResource):
    """An Azure Monitor workspace, the rule that brings metrics there, and series made of them.

    The workspace itself has neither logs nor metrics that a diagnostic setting could send
    (learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-monitor-accounts-metrics),
    and neither has the endpoint.

    Attributes:
        workspace_id: the Azure Monitor workspace's resource id.
        query_endpoint: where PromQL is asked.
    """

    workspace_id: pulumi.Output[str]
    query_endpoint: pulumi.Output[str]

    def __init__(
        self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:Prometheus", name, None, opts)
        place = args.place
        workspace = azure.monitor.AzureMonitorWorkspace(
            f"{name}-workspace",
            azure_monitor_workspace_name=place.naming.resource("amw", longest=44),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            # Queries sign in with Entra; managed Grafana and KEDA come over the public address.
            public_network_access=azure.monitor.PublicNetworkAccess.ENABLED,
            opts=place.keep(self),
        )
        place.locks.put_on(f"{name}-workspace", workspace)
        endpoint = self._endpoint(name, place)
        rule = self._rule(name, place, endpoint, workspace)
        send_diagnostics(f"{name}-rule", place, rule, args.workspace_id, metrics=False, parent=self)
        self._associate(name, args.cluster_id, endpoint, rule)
        for group in _recordings():
            declare_group(name, place, group, prometheus_workspace_id=workspace.id, parent=self)
        self.workspace_id = workspace.id
        self.query_endpoint = workspace.metrics.apply(
            lambda metrics: metrics.prometheus_query_endpoint
        )
        self.register_outputs(
            {"workspace_id": self.workspace_id, "query_endpoint": self.query_endpoint}
        )

    def _endpoint(self, name: str, place: Place) -> azure.monitor.DataCollectionEndpoint:
        return azure.monitor.DataCollectionEndpoint(
            f"{name}-endpoint",
            data_collection_endpoint_name=place.naming.resource("dce", "prometheus", longest=44),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            kind=azure.monitor.KnownDataCollectionEndpointResourceKind.LINUX,
            description="Takes the cluster's metrics",
            network_acls=azure.monitor.DataCollectionEndpointNetworkAclsArgs(
                public_network_access=azure.monitor.KnownPublicNetworkAccessOptions.ENABLED
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _rule(
        self,
        name: str,
        place: Place,
        endpoint: azure.monitor.DataCollectionEndpoint,
        workspace: azure.monitor.AzureMonitorWorkspace,
    ) -> azure.monitor.DataCollectionRule:
        return azure.monitor.DataCollectionRule(
            f"{name}-rule",
            data_collection_rule_name=place.naming.resource("dcr", "prometheus"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            tags=place.tags,
            kind=azure.monitor.KnownDataCollectionRuleResourceKind.LINUX,
            description="Brings the cluster's metrics to managed Prometheus",
            data_collection_endpoint_id=endpoint.id,
            data_sources=azure.monitor.DataCollectionRuleDataSourcesArgs(
                prometheus_forwarder=[
                    azure.monitor.PrometheusForwarderDataSourceArgs(
                        name="PrometheusDataSource", streams=[STREAM]
                    )
                ]
            ),
            destinations=azure.monitor.DataCollectionRuleDestinationsArgs(
                monitoring_accounts=[
                    azure.monitor.MonitoringAccountDestinationArgs(
                        name=DESTINATION, account_resource_id=workspace.id
                    )
                ]
            ),
            data_flows=[
                azure.monitor.DataFlowArgs(streams=[STREAM.value], destinations=[DESTINATION])
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _associate(
        self,
        name: str,
        cluster_id: pulumi.Input[str],
        endpoint: azure.monitor.DataCollectionEndpoint,
        rule: azure.monitor.DataCollectionRule,
    ) -> None:
        azure.monitor.DataCollectionRuleAssociation(
            f"{name}-rule-association",
            association_name="prometheus",
            resource_uri=cluster_id,
            data_collection_rule_id=rule.id,
            description="Which metrics the cluster's add-on sends",
            opts=pulumi.ResourceOptions(parent=self),
        )
        azure.monitor.DataCollectionRuleAssociation(
            f"{name}-endpoint-association",
            association_name=ENDPOINT_ASSOCIATION,
            resource_uri=cluster_id,
            data_collection_endpoint_id=endpoint.id,
            description="Where the cluster's add-on fetches its configuration",
            opts=pulumi.ResourceOptions(parent=self),
        )


def _recordings() -> tuple[RuleGroup, ...]:
    return tuple(
        RuleGroup(f"recordings-{name}", text, [recording_args(rule) for rule in rules])
        for name, text, rules in (
            ("services", "Requests, latency and waits of the services", SERVICE_RECORDINGS),
            ("nodes", "Processors and memory of the nodes", NODE_RECORDINGS),
            ("kubernetes", "Pods and namespaces, for Grafana's dashboards", KUBERNETES_RECORDINGS),
        )
    )
