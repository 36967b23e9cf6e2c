"""A small stack, written by hand, that violates nothing: what each case then spoils."""

from __future__ import annotations

from typing import Any

from infra.recording import Options, Recorded

TAGS = {"application": "scoring", "environment": "prod", "managed-by": "pulumi"}
PROVIDER = "urn:pulumi:prod::realtime-scoring::pulumi:providers:any::own"
NAMESPACE = "scoring"
LABELS = {"app.kubernetes.io/name": "faq", "app.kubernetes.io/part-of": "realtime-scoring"}
DIGEST = f"scoring.azurecr.io/faq@sha256:{'0' * 64}"


def urn_of(type_: str, name: str) -> str:
    return f"urn:pulumi:prod::realtime-scoring::{type_}::{name}"


def resource(type_: str, name: str, inputs: dict[str, Any], **options: Any) -> Recorded:
    return Recorded(
        type=type_,
        name=name,
        urn=urn_of(type_, name),
        parent="",
        inputs=inputs,
        options=Options(provider=PROVIDER, **options),
        custom=True,
    )


def azure(module: str, name: str, inputs: dict[str, Any], **options: Any) -> Recorded:
    return resource(f"azure-native:{module}", name, inputs, **options)


def kubernetes(kind: str, name: str, namespace: str | None = NAMESPACE, **inputs: Any) -> Recorded:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return resource(f"kubernetes:{kind}", name, {"metadata": metadata, **inputs})


SYSTEM_POOL = {
    "name": "system", "mode": "System", "vmSize": "Standard_D4ds_v5", "enableAutoScaling": True,
    "minCount": 3, "maxCount": 6, "maxPods": 60, "osDiskType": "Ephemeral", "osSKU": "AzureLinux3",
    "availabilityZones": ["1", "2", "3"], "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"],
}  # fmt: skip

CLUSTER = azure("containerservice:ManagedCluster", "cluster", {
    "tags": TAGS, "kubernetesVersion": "1.36", "disableLocalAccounts": True, "enableRBAC": True,
    "sku": {"name": "Base", "tier": "Standard"},
    "identity": {"type": "UserAssigned", "userAssignedIdentities": ["control-plane"]},
    "aadProfile": {"managed": True, "enableAzureRBAC": True},
    "apiServerAccessProfile": {"enablePrivateCluster": True, "disableRunCommand": True},
    "networkProfile": {
        "networkPlugin": "azure", "networkPluginMode": "overlay", "networkPolicy": "cilium",
        "loadBalancerSku": "standard", "podCidr": "10.244.0.0/16", "serviceCidr": "10.41.0.0/16",
        "dnsServiceIP": "10.41.0.10",
    },
    "oidcIssuerProfile": {"enabled": True},
    "securityProfile": {
        "workloadIdentity": {"enabled": True},
        "imageCleaner": {"enabled": True, "intervalHours": 48},
        "defender": {"securityMonitoring": {"enabled": True}},
    },
    "autoUpgradeProfile": {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
    "addonProfiles": {
        "omsagent": {"enabled": True, "config": {"useAADAuth": "true"}},
        "azurepolicy": {"enabled": True},
        "azureKeyvaultSecretsProvider": {
            "enabled": True, "config": {"enableSecretRotation": "true"},
        },
        "kubeDashboard": {"enabled": False},
    },
    "nodeResourceGroupProfile": {"restrictionLevel": "ReadOnly"},
    "agentPoolProfiles": [SYSTEM_POOL],
    "autoScalerProfile": {"scanInterval": "10s", "maxGracefulTerminationSec": "600"},
})  # fmt: skip


def pool(name: str, **inputs: Any) -> Recorded:
    return azure("containerservice:AgentPool", name, {
        **SYSTEM_POOL, "tags": TAGS, "agentPoolName": name, "mode": "User", "nodeTaints": [],
        "nodeLabels": {"realtime-scoring.io/pool": name}, "upgradeSettings": {"maxSurge": "33%"},
        **inputs,
    }, ignore_changes=("count",))  # fmt: skip


def window(name: str) -> Recorded:
    return azure("containerservice:MaintenanceConfiguration", name, {
        "configName": name, "maintenanceWindow": {"durationHours": 4},
    })  # fmt: skip


PLATFORM = [
    CLUSTER,
    pool("cpu"),
    pool("gpu", vmSize="Standard_NC4as_T4_v3", nodeTaints=["nvidia.com/gpu=present:NoSchedule"]),
    pool("spot", scaleSetPriority="Spot", scaleSetEvictionPolicy="Delete", upgradeSettings={},
         nodeTaints=["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]),
    window("aksManagedAutoUpgradeSchedule"),
    window("aksManagedNodeOSUpgradeSchedule"),
    azure("containerregistry:Registry", "registry", {
        "tags": TAGS, "sku": {"name": "Premium"}, "adminUserEnabled": False,
        "anonymousPullEnabled": False, "publicNetworkAccess": "Disabled",
        "zoneRedundancy": "Enabled",
        "policies": {"retentionPolicy": {"status": "enabled", "days": 30},
                     "exportPolicy": {"status": "disabled"}},
    }, protect=True),
    resource("docker:index/image:Image", "image", {
        "build": {"platform": "linux/amd64", "args": {"BASE_IMAGE": "python"}},
    }),
    azure("network:VirtualNetwork", "network", {
        "tags": TAGS, "addressSpace": {"addressPrefixes": ["10.40.0.0/16"]},
        "enableDdosProtection": True,
        "subnets": [{"name": "nodes", "defaultOutboundAccess": False,
                     "networkSecurityGroup": {"id": "<output of nodes.id>"}}],
    }, protect=True),
    azure("network:NetworkSecurityGroup", "nodes", {
        "tags": TAGS,
        "securityRules": [{"name": "web", "access": "Allow", "direction": "Inbound",
                           "sourceAddressPrefix": "Internet",
                           "destinationPortRanges": ["80", "443"]}],
    }),
    azure("network:PublicIPAddress", "gateway-address", {
        "tags": TAGS, "sku": {"name": "Standard"}, "publicIPAllocationMethod": "Static",
        "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
    }),
    azure("network:ApplicationGateway", "firewall", {
        "tags": TAGS, "sslPolicy": {"policyName": "AppGwSslPolicy20220101"},
        "httpListeners": [{"name": "http", "protocol": "Http"},
                          {"name": "https", "protocol": "Https"}],
        "requestRoutingRules": [
            {"httpListener": {"id": "/listeners/http"}, "redirectConfiguration": {"id": "/to"}},
            {"httpListener": {"id": "/listeners/https"}},
        ],
    }),
    azure("network:WebApplicationFirewallPolicy", "firewall-policy", {
        "tags": TAGS, "policySettings": {"state": "Enabled", "mode": "Prevention"},
        "managedRules": {"managedRuleSets": [{"ruleSetType": "Microsoft_DefaultRuleSet"}]},
    }),
    azure("network:PrivateEndpoint", "endpoint", {"tags": TAGS}),
    azure("network:PrivateDnsZoneGroup", "endpoint-dns", {},
          property_dependencies={
              "privateEndpointName": (urn_of("azure-native:network:PrivateEndpoint", "endpoint"),)
          }),
    azure("storage:StorageAccount", "storage", {
        "tags": TAGS, "enableHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_2",
        "allowBlobPublicAccess": False,
    }),
    azure("operationalinsights:Workspace", "logs", {
        "tags": TAGS, "features": {"disableLocalAuth": True}, "retentionInDays": 90,
    }, protect=True),
    azure("monitor:ActionGroup", "receivers", {
        "tags": TAGS, "enabled": True, "emailReceivers": [{"emailAddress": "a@example.org"}],
    }),
    azure("alertsmanagement:PrometheusRuleGroup", "alerts", {
        "tags": TAGS,
        "rules": [{"alert": "Slow", "severity": 2, "for": "PT5M", "actions": [{"id": "group"}]}],
    }),
    azure("dashboard:Grafana", "dashboards", {"tags": TAGS, "properties": {"apiKey": "Disabled"}}),
    azure("keyvault:Vault", "vault", {
        "tags": TAGS,
        "properties": {"enableRbacAuthorization": True, "enablePurgeProtection": True,
                       "softDeleteRetentionInDays": 90, "publicNetworkAccess": "Disabled"},
    }, protect=True),
    azure("managedidentity:FederatedIdentityCredential", "credential", {
        "subject": "system:serviceaccount:scoring:faq", "audiences": ["api://AzureADTokenExchange"],
    }),
    azure("authorization:RoleAssignment", "pull", {
        "roleDefinitionId": "/subscriptions/1/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "scope": "/subscriptions/1/resourceGroups/rg", "principalType": "ServicePrincipal",
    }),
    azure("authorization:RoleDefinition", "operator", {
        "permissions": [{"actions": ["Microsoft.ContainerService/managedClusters/read"]}],
    }),
    azure("resources:DeploymentAtSubscriptionScope", "plan", {"properties": {"template": {
        "resources": [{
            "type": "Microsoft.Security/pricings", "name": "Containers",
            "properties": {"pricingTier": "Standard"},
        }],
    }}}),
]  # fmt: skip

DIAGNOSED = ("cluster", "registry", "network", "nodes", "gateway-address", "firewall", "logs",
             "dashboards", "vault")  # fmt: skip
DIAGNOSTICS = [
    azure("monitor:DiagnosticSetting", f"{watched.name}-diagnostics",
          {"logs": [{"categoryGroup": "allLogs", "enabled": True}]},
          property_dependencies={"resourceUri": (watched.urn,)})
    for watched in PLATFORM if watched.name in DIAGNOSED
]  # fmt: skip


def workload(name: str, **pod: Any) -> Recorded:
    labels = {**LABELS, "app.kubernetes.io/name": name}
    probe = {"httpGet": {"path": "/livez", "port": "http"}}
    return kubernetes("apps/v1:Deployment", name, spec={
        "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
        "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "serviceAccountName": name, "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 45,
                "nodeSelector": {"realtime-scoring.io/pool": "cpu"},
                "securityContext": {"runAsNonRoot": True, "runAsUser": 10001,
                                    "seccompProfile": {"type": "RuntimeDefault"}},
                "topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone"}],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
                "containers": [{
                    "name": name, "image": DIGEST,
                    "ports": [{"name": "http", "containerPort": 8080},
                              {"name": "metrics", "containerPort": 9090}],
                    "env": [{"name": "KEYS_FILE", "value": "/keys/keys.json"}],
                    "resources": {"requests": {"cpu": "1", "memory": "512Mi"},
                                  "limits": {"memory": "512Mi"}},
                    "startupProbe": probe, "livenessProbe": probe, "readinessProbe": probe,
                    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
                    "securityContext": {"allowPrivilegeEscalation": False,
                                        "readOnlyRootFilesystem": True,
                                        "capabilities": {"drop": ["ALL"]}},
                }],
                **pod,
            },
        },
    })  # fmt: skip


def of_workload(name: str) -> list[Recorded]:
    selector = {"matchLabels": {"app.kubernetes.io/name": name}}
    return [
        kubernetes("core/v1:Service", name, spec={
            "type": "ClusterIP", "selector": selector["matchLabels"],
            "ports": [{"port": 80, "targetPort": "http"}],
        }),
        kubernetes("policy/v1:PodDisruptionBudget", name, spec={
            "selector": selector, "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }),
        kubernetes("networking.k8s.io/v1:NetworkPolicy", name, spec={
            "podSelector": selector, "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": 8080}]}],
        }),
    ]  # fmt: skip


GPU_WORKLOAD = workload(
    "resnet",
    nodeSelector={"realtime-scoring.io/pool": "gpu"},
    tolerations=[{"key": "nvidia.com/gpu", "operator": "Equal", "value": "present",
                  "effect": "NoSchedule"}],
)  # fmt: skip
GPU_WORKLOAD.inputs["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"][  # type: ignore[index, call-overload]
    "nvidia.com/gpu"
] = 1

SERVICES = [
    kubernetes("core/v1:Namespace", NAMESPACE, None),
    kubernetes("networking.k8s.io/v1:NetworkPolicy", "deny", spec={
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
    }),
    workload("faq"),
    *of_workload("faq"),
    GPU_WORKLOAD,
    *of_workload("resnet"),
    kubernetes("autoscaling/v2:HorizontalPodAutoscaler", "faq", spec={
        "scaleTargetRef": {"kind": "Deployment", "name": "faq"},
        "minReplicas": 2, "maxReplicas": 4,
    }),
    kubernetes("keda.sh/v1alpha1:ScaledObject", "resnet", spec={
        "scaleTargetRef": {"name": "resnet"}, "minReplicaCount": 2, "maxReplicaCount": 4,
    }),
    kubernetes("rbac.authorization.k8s.io/v1:Role", "operator", rules=[
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
    ]),
    kubernetes("rbac.authorization.k8s.io/v1:RoleBinding", "operator",
               roleRef={"kind": "Role", "name": "operator"},
               subjects=[{"kind": "Group", "name": "44444444-4444-4444-4444-444444444444"}]),
    kubernetes("gateway.networking.k8s.io/v1:Gateway", "scoring", spec={"listeners": [
        {"name": "http", "protocol": "HTTP", "port": 80},
        {"name": "https", "protocol": "HTTPS", "port": 443,
         "tls": {"mode": "Terminate", "certificateRefs": [{"name": "tls"}]}},
    ]}),
    kubernetes("gateway.networking.k8s.io/v1:HTTPRoute", "redirect", spec={
        "parentRefs": [{"name": "scoring", "sectionName": "http"}],
        "rules": [{"filters": [{"type": "RequestRedirect",
                                "requestRedirect": {"scheme": "https", "statusCode": 301}}]}],
    }),
    kubernetes("gateway.networking.k8s.io/v1:HTTPRoute", "faq", spec={
        "parentRefs": [{"name": "scoring", "sectionName": "https"}],
        "rules": [{"backendRefs": [{"name": "faq", "port": 80}]}],
    }),
    kubernetes("gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy", "clients",
               spec={"tls": {"minVersion": "1.2"}}),
    kubernetes("gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy", "backends",
               spec={"rateLimit": {"type": "Local"}}),
    kubernetes("cert-manager.io/v1:Certificate", "tls", spec={
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
    }),
    kubernetes("cert-manager.io/v1:Issuer", "acme", spec={
        "acme": {"server": "https://acme-v02.api.letsencrypt.org/directory"},
    }),
    resource("kubernetes:helm.sh/v3:Release", "cert-manager", {"version": "v1.21.0"}),
]  # fmt: skip
SERVICES[0].inputs["metadata"]["labels"] = {  # type: ignore[index, call-overload]
    "pod-security.kubernetes.io/enforce": "restricted"
}

DEVICE_PLUGIN = kubernetes("apps/v1:DaemonSet", "plugin", "gpu-resources", spec={
    "selector": {"matchLabels": {"app.kubernetes.io/name": "plugin"}},
    "template": {
        "metadata": {"labels": {"app.kubernetes.io/name": "plugin"}},
        "spec": {
            "nodeSelector": {"realtime-scoring.io/pool": "gpu"},
            "tolerations": [{"operator": "Exists"}],
            "volumes": [{"name": "plugins", "hostPath": {"path": "/var/lib/kubelet"}}],
            "containers": [{
                "name": "plugin", "image": "nvcr.io/nvidia/k8s-device-plugin:v0.18.0",
                "securityContext": {"runAsUser": 0, "runAsNonRoot": False},
                "resources": {"requests": {"cpu": "50m", "memory": "64Mi"},
                              "limits": {"memory": "64Mi"}},
            }],
        },
    },
})  # fmt: skip
"""It needs the nodes' devices: the one workload that may run as root."""

LOCAL = [
    resource("docker:index/container:Container", "faq", {
        "ports": [{"internal": 8080, "external": 8081, "ip": "127.0.0.1"}], "readOnly": True,
        "capabilities": {"drops": ["ALL"]}, "securityOpts": ["no-new-privileges:true"],
    }),
]  # fmt: skip

GOOD_STACK: tuple[Recorded, ...] = (*PLATFORM, *DIAGNOSTICS, *SERVICES, DEVICE_PLUGIN, *LOCAL)
