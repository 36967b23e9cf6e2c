"""Rules on every resource, whatever it is: tags, names of secrets, providers."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from policies.reading import UNKNOWN, at, holds_unknown, items, text
from policies.rule import ENVIRONMENT_TAG, AnyRule, Resource, ResourceRule
from policies.sources import Source, azure, checkov, issue

TAGGED = (
    "azure-native:alertsmanagement:PrometheusRuleGroup",
    "azure-native:containerregistry:Registry",
    "azure-native:containerregistry:Replication",
    "azure-native:containerservice:AgentPool",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:dashboard:Grafana",
    "azure-native:keyvault:Secret",
    "azure-native:keyvault:Vault",
    "azure-native:managedidentity:UserAssignedIdentity",
    "azure-native:monitor:ActionGroup",
    "azure-native:monitor:ActivityLogAlert",
    "azure-native:monitor:AzureMonitorWorkspace",
    "azure-native:monitor:DataCollectionEndpoint",
    "azure-native:monitor:DataCollectionRule",
    "azure-native:monitor:MetricAlert",
    "azure-native:monitor:ScheduledQueryRule",
    "azure-native:network:ApplicationGateway",
    "azure-native:network:DdosProtectionPlan",
    "azure-native:network:FlowLog",
    "azure-native:network:NatGateway",
    "azure-native:network:NetworkSecurityGroup",
    "azure-native:network:NetworkWatcher",
    "azure-native:network:PrivateEndpoint",
    "azure-native:network:PublicIPAddress",
    "azure-native:network:VirtualNetwork",
    "azure-native:network:WebApplicationFirewallPolicy",
    "azure-native:operationalinsights:Workspace",
    "azure-native:privatedns:PrivateZone",
    "azure-native:privatedns:VirtualNetworkLink",
    "azure-native:resources:ResourceGroup",
    "azure-native:storage:StorageAccount",
)
"""Types that take tags, of those that the stack declares."""
TAGS = ("application", ENVIRONMENT_TAG, "managed-by")
CONTAINER = "docker:index/container:Container"
LOOPBACK = ("127.0.0.1", "::1")
DOCKER_BENCH = Source("CIS Docker benchmark", "https://docs.docker.com/engine/security/")


def _tags(resource: Resource) -> Iterator[str]:
    tags = resource.at("tags")
    for tag in TAGS:
        if tags is not UNKNOWN and at(tags, tag) is None:
            yield f"the tag {tag} is missing"


def _own_provider(resource: Resource) -> Iterator[str]:
    """Component resources have no provider, and default ones are named by their version."""
    if resource.type.startswith(("azure-native:", "kubernetes:")) and (
        resource.provider.startswith("default")
    ):
        yield "it has the default provider, whose cluster or subscription is whoever's"


def _loopback(container: Resource) -> Iterator[str]:
    if container.at("networkMode") == "host":
        yield "networkMode is host: each port that it listens at is open to the whole network"
    for port in items(container.at("ports")):
        if at(port, "ip") not in (*LOOPBACK, UNKNOWN):
            yield f"port {at(port, 'external')} is open to the whole network"


def _hardened(container: Resource) -> Iterator[str]:
    if container.at("start") is False:  # it only carries files into a volume
        return
    if container.at("readOnly") not in (True, UNKNOWN):
        yield "readOnly is not true"
    if container.at("privileged") is True:
        yield "privileged is true"
    drops = container.at("capabilities", "drops")
    if not holds_unknown(drops) and not {"ALL", "CAP_ALL"} & set(map(text, items(drops))):
        yield "capabilities.drops lacks ALL"
    options = container.at("securityOpts")
    if not holds_unknown(options) and not any(
        "no-new-privileges" in text(one) for one in items(options)
    ):
        yield "securityOpts lacks no-new-privileges"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="azure-resource-tagged", types=TAGGED,
        description="Every Azure resource says to whom it belongs",
        severity=Severity.LOW,
        remediation="Pass the stack's tags",
        sources=(azure("tags", "azure-resource-manager/management/tag-resources"),),
        check=_tags,
    ),
    ResourceRule(
        name="resource-own-provider", types=(),
        description="Every resource has the provider that the stack configured",
        severity=Severity.HIGH,
        remediation="Pass a provider in the options of the component",
        sources=(issue("pulumi/pulumi-kubernetes", 1148),
                 Source("Pulumi: explicit providers",
                        "https://www.pulumi.com/docs/iac/concepts/providers/explicit-providers/")),
        check=_own_provider,
    ),
    ResourceRule(
        name="local-container-on-loopback", types=(CONTAINER,),
        description="Containers on this machine are reachable from this machine alone",
        severity=Severity.HIGH,
        remediation='Set ip="127.0.0.1" for every port, and a network_mode other than "host"',
        sources=(DOCKER_BENCH,),
        check=_loopback,
    ),
    ResourceRule(
        name="local-container-hardened", types=(CONTAINER,),
        description="Containers on this machine have no rights that they do not need",
        severity=Severity.MEDIUM,
        remediation="Set read_only, capabilities drops ALL and no-new-privileges",
        sources=(DOCKER_BENCH, checkov("CKV_K8S_22")),
        check=_hardened,
    ),
)  # fmt: skip
