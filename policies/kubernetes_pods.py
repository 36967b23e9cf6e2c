"""Rules on what pods may do: the restricted Pod Security standard, and some more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pulumi_policy import EnforcementLevel, Severity

from policies.pods import (
    WORKLOADS,
    Container,
    containers_of,
    each_container,
    pod_of,
    unless_privileged,
)
from policies.reading import UNKNOWN, at, holds_unknown, is_set, items, number, shown, text
from policies.rule import AnyRule, Resource, ResourceRule
from policies.sources import checkov, kube_linter, kubernetes, kubescape

STANDARDS = kubernetes("pod security standards", "concepts/security/pod-security-standards")
LOWEST_USER = 10_000
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|API_?KEY|CREDENTIAL)")
BY_FILE = re.compile(r"(_FILE|_PATH|_DIR)$")
REGISTRIES = (
    r"[a-z0-9]+\.azurecr\.io/",
    r"docker\.io/",
    r"mcr\.microsoft\.com/",
    r"nvcr\.io/nvidia/",
    r"quay\.io/jetstack/",
)


def _user(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        user = container.security("runAsUser")
        if user is not UNKNOWN and (number(user) or 0) < LOWEST_USER:
            yield f"container {container.name}: runAsUser is {shown(user)}, below {LOWEST_USER}"


def _capabilities(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        capabilities = container.at("securityContext", "capabilities")
        dropped = at(capabilities, "drop")
        if not holds_unknown(dropped) and "ALL" not in items(dropped):
            yield f"container {container.name}: capabilities.drop lacks ALL"
        for added in filter(is_set, items(at(capabilities, "add"))):
            yield f"container {container.name}: capabilities.add holds {shown(added)}"


def _seccomp(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        profile = container.security("seccompProfile")
        if at(profile, "type") not in ("RuntimeDefault", "Localhost", UNKNOWN):
            yield f"container {container.name}: no seccomp profile"


def _privileged(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        if container.at("securityContext", "privileged") is True:
            yield f"container {container.name} is privileged"


def _host_namespaces(workload: Resource) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if at(pod_of(workload), key) is True:
            yield f"{key} is true"


def _host_path(workload: Resource) -> Iterator[str]:
    for volume in items(at(pod_of(workload), "volumes")):
        if is_set(at(volume, "hostPath")):
            yield f"volume {text(at(volume, 'name'))} is a directory of the node"


def _limited_directories(workload: Resource) -> Iterator[str]:
    for volume in items(at(pod_of(workload), "volumes")):
        directory = at(volume, "emptyDir")
        if directory not in (None, UNKNOWN) and at(directory, "sizeLimit") is None:
            yield f"volume {text(at(volume, 'name'))} may fill the node's disk"


def _token(workload: Resource) -> Iterator[str]:
    mounted = at(pod_of(workload), "automountServiceAccountToken")
    if mounted not in (False, UNKNOWN):
        yield f"automountServiceAccountToken is {shown(mounted)}"


def _account(workload: Resource) -> Iterator[str]:
    account = at(pod_of(workload), "serviceAccountName")
    if account in (None, "", "default"):
        yield f"serviceAccountName is {shown(account)}"


def _environment(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        for variable in items(container.at("env")):
            name = text(at(variable, "name"))
            if is_set(at(variable, "valueFrom", "secretKeyRef")):
                yield f"container {container.name}: variable {name} comes from a Secret"
            elif SECRET_NAME.search(name) and not BY_FILE.search(name) and at(variable, "value"):
                yield f"container {container.name}: variable {name} looks like a secret"
        for source in items(container.at("envFrom")):
            if is_set(at(source, "secretRef")):
                yield f"container {container.name}: variables come from a Secret"


def _image(container: Container) -> str:
    return text(container.at("image"))


def _digest(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        image = _image(container)
        if image and not re.search(r"@sha256:[0-9a-f]{64}$", image):
            yield f"container {container.name}: image {image} is not by digest"


def _tag(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        image = _image(container)
        last = image.rpartition("/")[2]
        if image and "@" not in image and (":" not in last or last.endswith(":latest")):
            yield f"container {container.name}: image {image} changes without notice"


def _registry(workload: Resource) -> Iterator[str]:
    for container in containers_of(workload):
        image = _image(container)
        if image and not any(re.match(registry, image) for registry in REGISTRIES):
            yield f"container {container.name}: image {image} comes from an unknown registry"


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="pod-not-root", types=WORKLOADS,
        description="No container runs as root",
        severity=Severity.HIGH,
        remediation="Set run_as_non_root=True in the pod's security context",
        sources=(STANDARDS, checkov("CKV_K8S_23"), kube_linter("run-as-non-root")),
        check=unless_privileged(each_container("runAsNonRoot", True)),
    ),
    ResourceRule(
        name="pod-high-user", types=WORKLOADS,
        description="Containers run as a user that no node has",
        severity=Severity.LOW,
        remediation="Set run_as_user to 10001 or more",
        sources=(checkov("CKV_K8S_40"),),
        check=unless_privileged(_user),
    ),
    ResourceRule(
        name="container-read-only", types=WORKLOADS,
        description="A container cannot change its own files",
        severity=Severity.MEDIUM,
        remediation="Set read_only_root_filesystem=True and mount an emptyDir for temporary files",
        sources=(checkov("CKV_K8S_22"), kube_linter("no-read-only-root-fs")),
        check=unless_privileged(each_container("readOnlyRootFilesystem", True)),
    ),
    ResourceRule(
        name="container-no-escalation", types=WORKLOADS,
        description="No process gains more rights than its parent",
        severity=Severity.HIGH,
        remediation="Set allow_privilege_escalation=False",
        sources=(STANDARDS, checkov("CKV_K8S_20"), kubescape("C-0016")),
        check=unless_privileged(each_container("allowPrivilegeEscalation", False)),
    ),
    ResourceRule(
        name="container-no-capabilities", types=WORKLOADS,
        description="Containers drop all capabilities",
        severity=Severity.MEDIUM,
        remediation='Set capabilities with drop=["ALL"], and no add',
        sources=(STANDARDS, checkov("CKV_K8S_37"), checkov("CKV_K8S_28")),
        check=unless_privileged(_capabilities),
    ),
    ResourceRule(
        name="pod-seccomp", types=WORKLOADS,
        description="Containers have the runtime's seccomp profile",
        severity=Severity.MEDIUM,
        remediation='Set seccomp_profile with type "RuntimeDefault"',
        sources=(STANDARDS, checkov("CKV_K8S_31")),
        check=unless_privileged(_seccomp),
    ),
    ResourceRule(
        name="container-not-privileged", types=WORKLOADS,
        description="No container is privileged, wherever it runs",
        severity=Severity.CRITICAL,
        remediation="Remove privileged; mount the one device that is needed",
        sources=(STANDARDS, checkov("CKV_K8S_16"), kubescape("C-0057")),
        check=_privileged,
    ),
    ResourceRule(
        name="pod-no-host-namespaces", types=WORKLOADS,
        description="No pod shares the node's network, processes or memory",
        severity=Severity.CRITICAL,
        remediation="Remove host_network, host_pid and host_ipc",
        sources=(STANDARDS, checkov("CKV_K8S_17"), checkov("CKV_K8S_19"), kubescape("C-0038")),
        check=_host_namespaces,
    ),
    ResourceRule(
        name="pod-no-host-path", types=WORKLOADS,
        description="No pod mounts a directory of the node",
        severity=Severity.HIGH,
        remediation="Use an emptyDir, a ConfigMap or a claim",
        sources=(STANDARDS, kubescape("C-0048")),
        check=unless_privileged(_host_path),
    ),
    ResourceRule(
        name="pod-limited-directories", types=WORKLOADS,
        description="No temporary directory can fill the node's disk",
        severity=Severity.LOW,
        remediation="Give the emptyDir a size_limit",
        sources=(kubernetes("emptyDir", "concepts/storage/volumes"),),
        check=_limited_directories,
    ),
    ResourceRule(
        name="pod-no-token", types=WORKLOADS,
        description="Pods hold no key to the cluster's API",
        severity=Severity.MEDIUM,
        remediation="Set automount_service_account_token=False",
        sources=(checkov("CKV_K8S_38"), kubescape("C-0034")),
        check=unless_privileged(_token),
    ),
    ResourceRule(
        name="pod-own-account", types=WORKLOADS,
        description="Every workload has a service account of its own",
        severity=Severity.MEDIUM,
        remediation="Set service_account_name",
        sources=(kubescape("C-0189"), kube_linter("default-service-account")),
        check=unless_privileged(_account),
    ),
    ResourceRule(
        name="pod-no-secret-in-environment", types=WORKLOADS,
        description="Secrets reach pods as files, never as environment variables",
        severity=Severity.HIGH,
        remediation="Mount the Secret as a volume; a file can be rotated without a restart",
        sources=(checkov("CKV_K8S_35"), kube_linter("env-var-secret"), kubescape("C-0207")),
        check=_environment,
    ),
    ResourceRule(
        name="image-by-digest", types=WORKLOADS,
        description="Images are named by digest",
        severity=Severity.HIGH,
        remediation="Use repo_digest of the image, or the digest that CI printed",
        sources=(checkov("CKV_K8S_43"),),
        check=unless_privileged(_digest),
    ),
    ResourceRule(
        name="image-not-latest", types=WORKLOADS,
        description="No image is one that changes without notice",
        severity=Severity.HIGH,
        remediation="Name a version, or better a digest",
        sources=(checkov("CKV_K8S_14"), kube_linter("latest-tag")),
        check=_tag,
    ),
    ResourceRule(
        name="image-known-registry", types=WORKLOADS,
        description="Images come from registries that somebody chose",
        severity=Severity.MEDIUM,
        remediation="Copy the image to the stack's registry",
        sources=(kubescape("C-0078"),),
        check=_registry, level=EnforcementLevel.ADVISORY,
    ),
)  # fmt: skip
