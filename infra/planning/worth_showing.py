"""Which properties of a resource the tree shows: those that a reviewer decides by.

A template whose properties are not all there is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from infra.planning.wire import Secret, Value

LONGEST = 60

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    # Azure
    "resources:ResourceGroup": ("{resourceGroupName}", "{location}"),
    "containerservice:ManagedCluster": (
        "{resourceName}",
        "Kubernetes {kubernetesVersion}",
        "{sku.tier} tier",
        "{agentPoolProfiles[0].name} pool {agentPoolProfiles[0].vmSize} × "
        "{agentPoolProfiles[0].minCount}–{agentPoolProfiles[0].maxCount}",
        "zones {agentPoolProfiles[0].availabilityZones}",
        "{networkProfile.networkPlugin} {networkProfile.networkPluginMode} "
        "{networkProfile.networkDataplane}",
        "out by {networkProfile.outboundType}",
        "pods {networkProfile.podCidr}",
        "services {networkProfile.serviceCidr}",
        "private {apiServerAccessProfile.enablePrivateCluster}",
        "API open to {apiServerAccessProfile.authorizedIPRanges}",
        "local accounts off {disableLocalAccounts}",
        "upgrades {autoUpgradeProfile.upgradeChannel}/{autoUpgradeProfile.nodeOSUpgradeChannel}",
    ),
    "containerservice:AgentPool": (
        "{agentPoolName}",
        "{vmSize} × {minCount}–{maxCount}",
        "{scaleSetPriority}",
        "zones {availabilityZones}",
        "MIG {gpuInstanceProfile}",
        "taints {nodeTaints}",
    ),
    "containerservice:MaintenanceConfiguration": (
        "{maintenanceWindow.schedule.weekly.dayOfWeek} {maintenanceWindow.startTime} "
        "{maintenanceWindow.utcOffset}, {maintenanceWindow.durationHours} h",
    ),
    "containerregistry:Registry": (
        "{registryName}",
        "{sku.name}",
        "public {publicNetworkAccess}",
        "admin user {adminUserEnabled}",
        "zones {zoneRedundancy}",
    ),
    "network:VirtualNetwork": ("{addressSpace.addressPrefixes}",),
    "network:Subnet": ("{addressPrefix}", "{addressPrefixes}"),
    "network:NatGateway": ("{sku.name}", "zones {zones}"),
    "network:PublicIPAddress": (
        "{sku.name}",
        "zones {zones}",
        "DDoS {ddosSettings.protectionMode}",
    ),
    "network:NetworkSecurityGroup": ("{securityRules.*.name}",),
    "network:ApplicationGateway": ("{sku.name}", "zones {zones}"),
    "network:WebApplicationFirewallPolicy": ("{policySettings.mode}",),
    "dns:RecordSet": ("{relativeRecordSetName} {recordType}",),
    "network:RecordSet": ("{relativeRecordSetName} {recordType}",),
    "operationalinsights:Workspace": (
        "{sku.name}",
        "{retentionInDays} days",
        "at most {workspaceCapping.dailyQuotaGb} GB a day",
    ),
    "resources:Deployment": ("{deploymentName}",),
    "resources:DeploymentAtSubscriptionScope": ("{deploymentName}",),
    "monitor:DataCollectionRule": ("{dataFlows[0].streams}",),
    "monitor:MetricAlert": ("severity {severity}", "every {evaluationFrequency}"),
    "monitor:ScheduledQueryRule": ("severity {severity}", "every {evaluationFrequency}"),
    "monitor:DiagnosticSetting": ("to {workspaceId}",),
    "monitor:ActionGroup": ("{groupShortName}",),
    "dashboard:Grafana": ("{sku.name}", "zones {properties.zoneRedundancy}"),
    "keyvault:Vault": (
        "{vaultName}",
        "{properties.sku.name}",
        "public {properties.publicNetworkAccess}",
        "purge protection {properties.enablePurgeProtection}",
    ),
    "authorization:RoleAssignment": ("{description}",),
    "authorization:RoleDefinition": ("{roleName}",),
    "authorization:ManagementLockByScope": ("{level}",),
    "authorization:PolicyAssignment": ("{displayName}", "{enforcementMode}"),
    "managedidentity:UserAssignedIdentity": ("{resourceName}",),
    "managedidentity:FederatedIdentityCredential": ("{subject}",),
    "costmanagement:Budget": ("{amount} a month",),
    "consumption:Budget": ("{amount} a month",),
    # Kubernetes
    "core/v1:Namespace": (
        "{metadata.name}",
        'Pod Security {metadata.labels["pod-security.kubernetes.io/enforce"]}',
    ),
    "apps/v1:Deployment": (
        "{metadata.namespace}/{metadata.name}",
        "{spec.replicas} replicas",
        "{spec.template.spec.containers[0].image}",
        "cpu {spec.template.spec.containers[0].resources.requests.cpu}",
        "memory {spec.template.spec.containers[0].resources.limits.memory}",
        'GPUs {spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]}',
        "on {spec.template.spec.nodeSelector}",
    ),
    "apps/v1:DaemonSet": (
        "{metadata.namespace}/{metadata.name}",
        "{spec.template.spec.containers[0].image}",
        "on {spec.template.spec.nodeSelector}",
    ),
    "autoscaling/v2:HorizontalPodAutoscaler": (
        "{spec.minReplicas}–{spec.maxReplicas} replicas",
        "CPU {spec.metrics[0].resource.target.averageUtilization} %",
    ),
    "keda.sh/v1alpha1:ScaledObject": (
        "{spec.minReplicaCount}–{spec.maxReplicaCount} replicas",
        "{spec.triggers[0].type}",
    ),
    "policy/v1:PodDisruptionBudget": (
        "at least {spec.minAvailable}",
        "at most {spec.maxUnavailable} missing",
    ),
    "core/v1:Service": (
        "{metadata.namespace}/{metadata.name}",
        "{spec.type}",
        "port {spec.ports[0].port} → {spec.ports[0].targetPort}",
    ),
    "networking.k8s.io/v1:NetworkPolicy": ("{spec.policyTypes}",),
    "core/v1:ResourceQuota": ("{spec.hard}",),
    "helm.sh/v3:Release": ("{chart} {version}", "{namespace}"),
    "gateway.networking.k8s.io/v1:Gateway": (
        "{spec.listeners.*.port}",
        "{spec.addresses[0].value}",
    ),
    "gateway.networking.k8s.io/v1:HTTPRoute": (
        "{spec.hostnames}",
        "on {spec.parentRefs.*.sectionName}",
        "{spec.rules[0].matches[0].path.value} → {spec.rules[0].backendRefs[0].name}"
        ":{spec.rules[0].backendRefs[0].port}",
        "to {spec.rules[0].filters[0].requestRedirect.scheme}",
    ),
    "gateway.envoyproxy.io/v1alpha1:EnvoyProxy": (
        "{spec.provider.kubernetes.envoyHpa.minReplicas}–"
        "{spec.provider.kubernetes.envoyHpa.maxReplicas} replicas",
    ),
    "gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy": (
        "TLS {spec.tls.minVersion} or newer",
        "at most {spec.connection.connectionLimit.value} connections a replica",
    ),
    "gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy": (
        "{spec.rateLimit.local.rules[0].limit.requests} requests a "
        "{spec.rateLimit.local.rules[0].limit.unit} and address",
        "bodies of {spec.requestBuffer.limit}",
        "{spec.timeout.http.requestTimeout} a request",
    ),
    "gateway.envoyproxy.io/v1alpha1:SecurityPolicy": (
        "from {spec.authorization.rules.*.principal.clientCIDRs}",
    ),
    "cert-manager.io/v1:Certificate": (
        "{spec.dnsNames}",
        "{spec.privateKey.algorithm} {spec.privateKey.size}",
    ),
    "cert-manager.io/v1:Issuer": ("{spec.acme.server}",),
    "rbac.authorization.k8s.io/v1:RoleBinding": ("{roleRef.name} for {subjects.*.name}",),
    "rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("{roleRef.name} for {subjects.*.name}",),
    # Docker
    "docker:Image": ("{imageName}", "{build.platform}"),
    "docker-build:Image": ("{tags}", "{platforms}"),
    "docker:Container": ("{image}", "{ports[0].external} → {ports[0].internal}"),
    "docker:Network": ("{name}", "{driver}"),
}
_FIELD = re.compile(r"\{([^}]+)\}")
_STEP = re.compile(r'\["([^"]+)"\]|\[(\d+)\]|([A-Za-z0-9_]+|\*)')
_PLACEHOLDER = re.compile(r"<output of [^<>]*?(?:::)?([^:<>]+)>")


def shown_properties(type_: str, inputs: Mapping[str, Value]) -> list[str]:
    """What the tree says about a resource, in a few words each."""
    package, module_and_type = type_.split(":", 1)
    if package == "docker" and "/" in module_and_type:
        module_and_type = f"docker:{module_and_type.rsplit(':', 1)[1]}"
    templates = TEMPLATES.get(module_and_type, ("{metadata.namespace}/{metadata.name}",))
    return [text for template in templates if (text := filled(template, inputs)) is not None]


def shortened(text: str) -> str:
    """The text with placeholders as ``<resource.property>``."""
    return _PLACEHOLDER.sub(r"<\1>", text)


def filled(template: str, inputs: Mapping[str, Value]) -> str | None:
    """A template with a resource's properties; None where one of them is not there."""
    fields = {field: _found(dict(inputs), _steps(field)) for field in _FIELD.findall(template)}
    if any(value in (None, [], {}, "") for value in fields.values()):
        return None
    return _FIELD.sub(lambda match: _shown(fields[match[1]]), template)


@cache
def _steps(field: str) -> tuple[str | int, ...]:
    """``a[0].b["c.d"]`` → ``a, 0, b, c.d``."""
    return tuple(
        int(place) if place else label or name for label, place, name in _STEP.findall(field)
    )


def _found(value: Value, steps: tuple[str | int, ...]) -> Value:
    for at, step in enumerate(steps):
        if isinstance(value, Secret):
            return str(value)
        if step == "*" and isinstance(value, list):
            inner = [_found(item, steps[at + 1 :]) for item in value]
            return [item for item in inner if item is not None]
        if isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        elif isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_shown(inner)}" for key, inner in value.items())
    text = shortened(" ".join(str(value).split()))
    digest = re.sub(r"(@sha256:[0-9a-f]{8})[0-9a-f]{56}", r"\1…", text)
    return digest if len(digest) <= LONGEST else f"{digest[: LONGEST - 1]}…"
