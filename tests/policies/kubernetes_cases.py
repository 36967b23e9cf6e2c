"""How each rule on Kubernetes objects is violated."""

from __future__ import annotations

from tests.policies.good_stack import kubernetes
from tests.policies.spoiling import EACH, MISSING, Case, add, any_of, invent, plus, put, without

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
SERVICE = "kubernetes:core/v1:Service"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
ISSUER = "kubernetes:cert-manager.io/v1:Issuer"
POOL = "azure-native:containerservice:AgentPool"
POD = ("spec", "template", "spec")
CONTAINERS = (*POD, "containers", EACH)


def pod(policy: str, *path: str | int, to: object, name: str = "") -> Case:
    return Case(policy, (put(DEPLOYMENT, (*POD, *path), to, name),))


def container(policy: str, *path: str | int, to: object, name: str = "") -> Case:
    return Case(policy, (put(DEPLOYMENT, (*CONTAINERS, *path), to, name),))


def either(policy: str, setting: str, value: object) -> Case:
    """A container inherits some settings of its pod."""
    paths = ((*POD, "securityContext", setting), (*CONTAINERS, "securityContext", setting))
    return Case(policy, (any_of(*(put(DEPLOYMENT, path, value) for path in paths)),))


def variable(**content: object) -> Case:
    new = {"name": "PLAIN", **content}
    return Case("pod-no-secret-in-environment", (add(DEPLOYMENT, (*CONTAINERS, "env"), new),))


def detour(resource: str) -> Case:
    """A right on a part of other objects, by which its holder gets more than the role says."""
    rule = {"apiGroups": [""], "resources": [resource], "verbs": ["create"]}
    return Case("role-no-detour", (add(ROLE, "rules", rule),))


def bound(group: str) -> Case:
    subjects = [{"kind": "Group", "name": group}]
    return Case("binding-names-somebody", (put(BINDING, "subjects", subjects),))


def opened(peer: dict[str, object]) -> Case:
    """A policy of its own that lets everybody in, though no rule of it is empty."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]}
    new = kubernetes("networking.k8s.io/v1:NetworkPolicy", "open", spec=spec)
    return Case("namespace-default-deny", (plus(new),))


POD_CASES = (
    either("pod-not-root", "runAsNonRoot", MISSING),
    either("pod-high-user", "runAsUser", 1000),
    container("container-read-only", "securityContext", "readOnlyRootFilesystem", to=False),
    container("container-no-escalation", "securityContext", "allowPrivilegeEscalation", to=True),
    container("container-no-capabilities", "securityContext", "capabilities", to=MISSING),
    container("container-no-capabilities", "securityContext", "capabilities",
              to={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    pod("pod-seccomp", "securityContext", "seccompProfile", to={"type": "Unconfined"}),
    container("container-not-privileged", "securityContext", "privileged", to=True),
    Case("pod-no-host-namespaces", (invent(DEPLOYMENT, (*POD, "hostNetwork"), True),)),
    Case("pod-no-host-namespaces", (invent(DEPLOYMENT, (*POD, "hostPID"), True),)),
    pod("pod-no-host-path", "volumes", to=[{"name": "root", "hostPath": {"path": "/"}}]),
    pod("pod-limited-directories", "volumes", to=[{"name": "tmp", "emptyDir": {}}]),
    pod("pod-no-token", "automountServiceAccountToken", to=MISSING),
    pod("pod-own-account", "serviceAccountName", to="default"),
    variable(valueFrom={"secretKeyRef": {"name": "key", "key": "key"}}),
    variable(name="UPSTREAM_API_KEY", value="hunter2"),
    Case("pod-no-secret-in-environment", (
        invent(DEPLOYMENT, (*CONTAINERS, "envFrom"), [{"secretRef": {"name": "all"}}]),)),
    container("image-by-digest", "image", to="scoring.azurecr.io/faq:1.0"),
    container("image-not-latest", "image", to="scoring.azurecr.io:443/faq:latest"),
    container("image-not-latest", "image", to="localhost:5000/faq"),
    container("image-known-registry", "image", to=f"evil.example/faq@sha256:{'0' * 64}"),
)  # fmt: skip

WORKLOAD_CASES = (
    container("container-resources", "resources", "requests", "cpu", to=MISSING),
    container("container-resources", "resources", "limits", "memory", to=MISSING),
    container("container-probes", "livenessProbe", to=MISSING),
    container("container-probes", "readinessProbe", to=MISSING),
    Case("workload-labelled", (put(DEPLOYMENT, "spec.template.metadata.labels", {"app": "faq"}),)),
    Case("workload-selects-own-pods",
         (put(DEPLOYMENT, "spec.selector.matchLabels", {"app": "other"}),)),
    pod("workload-stops-in-time", "terminationGracePeriodSeconds", to=MISSING),
    Case("workload-stops-in-time", (
        invent(DEPLOYMENT, (*CONTAINERS, "lifecycle"), {"preStop": {"sleep": {"seconds": 9}}}),
        put(DEPLOYMENT, (*POD, "terminationGracePeriodSeconds"), 9))),
    pod("workload-spread", "topologySpreadConstraints", to=MISSING),
    container("workload-one-gpu", "resources", "limits", "nvidia.com/gpu", to=2, name="resnet"),
    Case("gpu-rollout-moves",
         (put(DEPLOYMENT, "spec.strategy.rollingUpdate.maxSurge", "25%", "resnet"),)),
    Case("gpu-rollout-moves", (put(DEPLOYMENT, "spec.strategy", MISSING, "resnet"),)),
    pod("pool-takes-pods", "tolerations", to=[], name="resnet"),
    pod("pool-takes-pods", "nodeSelector", to={"pool": "other"}, name="faq"),
    Case("pool-takes-pods", (put(POOL, "nodeLabels", {}),)),
    Case("pool-takes-pods", (put(POOL, "nodeTaints", ["sku=gpu:NoSchedule"], "gpu"),)),
    pod("gpu-nodes-for-gpu-pods", "tolerations", to=[{"operator": "Exists"}], name="faq"),
)  # fmt: skip

SCALING_CASES = (
    Case("autoscaler-target-exists", (put(SCALER, "spec.scaleTargetRef.name", "gone"),)),
    Case("autoscaler-owns-replicas", (invent(DEPLOYMENT, "spec.replicas", 3, "faq"),)),
    Case("autoscaler-alone", (put(SCALED_OBJECT, "spec.scaleTargetRef.name", "faq"),)),
    Case("autoscaler-bounds", (put(SCALER, "spec.minReplicas", 99),)),
    Case("autoscaler-bounds", (put(SCALED_OBJECT, "spec.minReplicaCount", 99),)),
    Case("autoscaler-two-pods", (put(SCALER, "spec.minReplicas", 1),)),
    Case("autoscaler-two-pods", (put(SCALED_OBJECT, "spec.minReplicaCount", MISSING),)),
    Case("workload-has-budget", (without(BUDGET, "faq"),)),
    Case("budget-selects-pods", (put(BUDGET, "spec.selector.matchLabels", {"app": "gone"}),)),
    Case("budget-leaves-room", (put(BUDGET, "spec.maxUnavailable", 0),)),
    Case("budget-leaves-room",
         (put(BUDGET, "spec.maxUnavailable", MISSING), invent(BUDGET, "spec.minAvailable", 3))),
    Case("budget-leaves-room",
         (put(BUDGET, "spec.maxUnavailable", MISSING), invent(BUDGET, "spec.minAvailable", "100%"))),
    Case("budget-lets-unhealthy-go", (put(BUDGET, "spec.unhealthyPodEvictionPolicy", MISSING),)),
)  # fmt: skip

NETWORK_CASES = (
    Case("namespace-pod-security", (put(NAMESPACE, "metadata.labels", {}),)),
    Case("namespace-pod-security",
         (put(NAMESPACE, ("metadata", "labels", "pod-security.kubernetes.io/enforce"),
              "privileged"),)),
    Case("namespace-default-deny", (put(NETWORK_POLICY, "spec.podSelector", {"matchLabels": {
        "app": "one"}}),)),
    Case("namespace-default-deny", (put(NETWORK_POLICY, "spec.policyTypes", ["Ingress"]),)),
    Case("namespace-default-deny", (put(NETWORK_POLICY, "spec.ingress", [{}], "deny"),)),
    Case("namespace-default-deny",
         (put(NETWORK_POLICY, "spec.egress", [{"to": [], "ports": []}], "deny"),)),
    Case("namespace-default-deny", (plus(kubernetes(  # policies add up: no other takes it back
        "networking.k8s.io/v1:NetworkPolicy", "open", spec={"podSelector": {}, "ingress": [{}]})),)),
    Case("namespace-default-deny", (plus(kubernetes(  # no types are those that it has rules of
        "networking.k8s.io/v1:NetworkPolicy", "open",
        spec={"podSelector": {}, "policyTypes": [], "ingress": [{}]})),)),
    opened({"ipBlock": {"cidr": "0.0.0.0/0"}}),
    opened({"ipBlock": {"cidr": "::/0"}}),
    opened({"namespaceSelector": {}}),
    opened({"namespaceSelector": {"matchLabels": {}}, "podSelector": {}}),
    Case("workload-isolated", (without(NETWORK_POLICY, "faq"),)),
    Case("network-policy-port-exists",
         (put(NETWORK_POLICY, "spec.ingress", [{"ports": [{"port": 5000}]}], "faq"),)),
    Case("service-selects-pods", (put(SERVICE, "spec.selector", {"app": "gone"}),)),
    Case("service-port-exists", (put(SERVICE, ("spec", "ports", EACH, "targetPort"), "grpc"),)),
    Case("service-behind-gateway", (put(SERVICE, "spec.type", "LoadBalancer"),)),
    Case("service-behind-gateway", (put(SERVICE, "spec.type", "NodePort"),)),
    Case("object-own-namespace", (put(SERVICE, "metadata.namespace", "default"),)),
    Case("object-own-namespace", (put(BUDGET, "metadata.namespace", MISSING),)),
    Case("object-named", (put(SERVICE, "metadata.name", MISSING),)),
    Case("no-removed-api",
         (plus(kubernetes("policy/v1beta1:PodDisruptionBudget", "old")),)),
)  # fmt: skip

ROLE_CASES = (
    Case("role-no-wildcard", (put(ROLE, ("rules", 0, "verbs"), ["*"]),)),
    Case("role-no-wildcard", (put(ROLE, ("rules", 0, "resources"), ["*"]),)),
    Case("role-no-secrets",
         (add(ROLE, "rules", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}),)),
    detour("pods/exec"),
    detour("*/exec"),
    detour("pods/attach"),
    detour("pods/portforward"),
    detour("pods/ephemeralcontainers"),
    detour("nodes/proxy"),
    detour("serviceaccounts/token"),
    detour("*/token"),
    Case("role-no-detour", (put(ROLE, ("rules", 0, "verbs"), ["impersonate"]),)),
    Case("binding-modest", (put(BINDING, "roleRef.name", "cluster-admin"),)),
    Case("binding-names-somebody", (put(BINDING, "subjects", []),)),
    bound("system:authenticated"),
    bound("system:serviceaccounts"),
    bound("system:serviceaccounts:scoring"),
)  # fmt: skip

GATEWAY_CASES = (
    Case("gateway-https", (put(GATEWAY, ("spec", "listeners", EACH, "protocol"), "HTTP"),)),
    Case("gateway-https", (put(GATEWAY, ("spec", "listeners", EACH, "tls"), MISSING),)),
    Case("gateway-https",
         (put(GATEWAY, ("spec", "listeners", EACH, "tls", "mode"), "Passthrough"),)),
    Case("gateway-redirects-http",
         (put(ROUTE, ("spec", "parentRefs", EACH, "sectionName"), MISSING, "faq"),)),
    Case("gateway-redirects-http", (without(ROUTE, "redirect"),)),
    Case("route-backend-exists", (
        put(ROUTE, ("spec", "rules", EACH, "backendRefs"), [{"name": "gone", "port": 80}], "faq"),)),
    Case("route-backend-exists",
         (put(ROUTE, ("spec", "rules", EACH, "backendRefs", EACH, "port"), 81, "faq"),)),
    Case("route-no-metrics",
         (put(ROUTE, ("spec", "rules", EACH, "backendRefs", EACH, "port"), 9090, "faq"),)),
    Case("gateway-tls-version",
         (put("kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy",
              "spec.tls.minVersion", "1.0"),)),
    Case("gateway-tls-version",
         (without("kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy"),)),
    Case("gateway-rate-limited",
         (put("kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy",
              "spec.rateLimit", MISSING),)),
    Case("certificate-key", (put(CERTIFICATE, "spec.privateKey.rotationPolicy", "Never"),)),
    Case("certificate-key",
         (put(CERTIFICATE, "spec.privateKey",
              {"algorithm": "RSA", "size": 2048, "rotationPolicy": "Always"}),)),
    Case("certificate-trusted", (put(ISSUER, "spec", {"selfSigned": {}}),)),
    Case("certificate-trusted",
         (put(ISSUER, "spec.acme.server", "https://acme-staging-v02.api.letsencrypt.org/d"),)),
    Case("no-ingress", (plus(kubernetes("networking.k8s.io/v1:Ingress", "old")),)),
    Case("helm-release-pinned", (put("kubernetes:helm.sh/v3:Release", "version", "^1.21"),)),
    Case("helm-release-pinned", (put("kubernetes:helm.sh/v3:Release", "version", MISSING),)),
)  # fmt: skip

CASES = (
    *POD_CASES,
    *WORKLOAD_CASES,
    *SCALING_CASES,
    *NETWORK_CASES,
    *ROLE_CASES,
    *GATEWAY_CASES,
)
