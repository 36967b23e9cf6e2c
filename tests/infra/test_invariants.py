"""Each invariant notices when the thing that it guards is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra.recording import Recorded, Recording
from tests.infra.invariants import platform, structure, traffic, workloads
from tests.infra.plans import recording_of

Change = Callable[[dict[str, Any]], object]

STACK = "prod"
HTTP = "spec.template.spec.containers.0"
BREAKS: tuple[tuple[Callable[[Recording], Iterator[str]], str, str, Any], ...] = (
    (platform.every_resource_that_takes_tags_has_ours, "containerregistry:Registry", "tags", {}),
    (platform.every_resource_with_logs_sends_them, "DiagnosticSetting", "resourceUri", "other"),
    (platform.no_azure_name_is_left_to_pulumi, "containerregistry:Registry", "registryName", None),
    (platform.no_networks_overlap, ":ManagedCluster", "networkProfile.podCidr", "10.40.0.0/16"),
    (
        platform.every_subnet_lies_in_the_network,
        ":VirtualNetwork",
        "subnets.0.addressPrefix",
        "192.168.0.0/24",
    ),
    (
        platform.the_dns_service_lies_in_the_service_range,
        ":ManagedCluster",
        "networkProfile.dnsServiceIP",
        "9.9.9.9",
    ),
    (platform.every_role_assignment_says_why, ":RoleAssignment", "description", None),
    (platform.no_two_role_assignments_share_a_name, ":RoleAssignment", "roleAssignmentName", "x"),
    (workloads.every_selector_finds_its_own_pods, ":Deployment", "spec.selector.matchLabels", {}),
    (workloads.every_pod_runs_where_a_pool_is, ":AgentPool", "nodeLabels", {}),
    (
        workloads.every_pod_tolerates_its_pools_taints,
        ":AgentPool",
        "nodeTaints",
        ["a=b:NoSchedule"],
    ),
    (
        workloads.gpus_are_asked_for_on_gpu_pools_alone,
        ":Deployment",
        f"{HTTP}.resources.limits",
        {"nvidia.com/gpu": 2},
    ),
    (workloads.every_request_fits_on_a_node, ":Deployment", f"{HTTP}.resources.requests.cpu", "64"),
    (
        workloads.every_request_fits_on_a_node,
        ":Deployment",
        f"{HTTP}.resources.requests.memory",
        "900Gi",
    ),
    (
        workloads.every_autoscaled_deployment_leaves_its_replicas_alone,
        ":Deployment",
        "spec.replicas",
        3,
    ),
    (
        workloads.every_deployment_is_scaled_once,
        ":HorizontalPodAutoscaler",
        "spec.scaleTargetRef.name",
        "resnet",
    ),
    (workloads.every_budget_leaves_room_for_a_drain, "DisruptionBudget", "spec.minAvailable", 3),
    (workloads.every_budget_leaves_room_for_a_drain, "DisruptionBudget", "spec.maxUnavailable", 9),
    (workloads.every_image_is_taken_by_digest, ":Deployment", f"{HTTP}.image", "faq:latest"),
    (traffic.every_service_reaches_a_port_of_its_pods, ":Service", "spec.ports.0.targetPort", 1),
    (traffic.every_service_reaches_a_port_of_its_pods, ":Service", "spec.selector", {"a": "b"}),
    (
        traffic.every_probe_asks_a_port_of_its_container,
        ":Deployment",
        f"{HTTP}.readinessProbe.httpGet.port",
        1,
    ),
    (traffic.every_port_of_a_service_is_let_in, "v1:NetworkPolicy", "spec.ingress", []),
    (
        traffic.only_ports_of_containers_are_let_in,
        "v1:NetworkPolicy",
        "spec.ingress",
        [{"ports": [{"port": 22}]}],
    ),
    (traffic.every_pod_is_walled_in, "v1:NetworkPolicy", "spec.policyTypes", ["Ingress"]),
    (traffic.only_the_gateway_has_a_public_address, ":Service", "spec.type", "LoadBalancer"),
    (traffic.every_route_leads_to_a_service, "core/v1:Service", "spec.ports.0.port", 1),
    (traffic.every_route_hangs_on_a_listener, ":Gateway", "metadata.name", "other"),
    (
        traffic.plain_http_is_redirected_and_nothing_else,
        ":Gateway",
        "spec.listeners.1.protocol",
        "HTTP",
    ),
    (traffic.the_services_namespace_denies_by_default, "v1:NetworkPolicy", "spec.egress", [{}]),
    (structure.nothing_named_like_a_secret_is_in_plain, "keyvault:Secret", "properties.value", "x"),
    (structure.nothing_named_like_a_secret_is_in_plain, "providers:kubernetes", "kubeconfig", "x"),
)


@pytest.mark.parametrize(
    ("invariant", "type_", "path", "value"),
    BREAKS,
    ids=[f"{broken[0].__name__}-{broken[2]}" for broken in BREAKS],
)
def test_a_broken_input_is_noticed(invariant, type_: str, path: str, value: object) -> None:
    recording = recording_of(STACK)
    assert list(invariant(recording)) == []
    changed = [
        replace(resource, inputs=_with(resource, path, value)) if _is(resource, type_) else resource
        for resource in recording.resources
    ]
    assert changed != list(recording.resources)
    assert list(invariant(replace(recording, resources=tuple(changed))))


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        (structure.every_resource_has_an_explicit_provider, {"provider": ""}),
        (structure.every_reference_is_to_a_resource_of_the_stack, {"depends_on": ("urn:x",)}),
        (
            structure.every_ignored_change_is_a_property_in_camel_case,
            {"ignore_changes": ("node_count",)},
        ),
    ],
)
def test_a_broken_option_is_noticed(invariant, change: dict[str, Any]) -> None:
    recording = recording_of(STACK)
    first, *others = recording.of_type(":AgentPool")
    broken = replace(first, options=replace(first.options, **change))
    assert list(invariant(replace(recording, resources=(broken, *others))))


@pytest.mark.parametrize("type_", [":ManagementLockByScope", ":RoleAssignment"])
def test_a_lock_in_the_wrong_order_is_noticed(type_: str) -> None:
    """A lock that waits for nothing, and an assignment that waits for a lock."""
    recording = recording_of(STACK)
    lock = recording.of_type(":ManagementLockByScope")[0]
    first = recording.of_type(type_)[0]
    waits_for = () if first is lock else (lock.urn,)
    broken = replace(first, options=replace(first.options, depends_on=waits_for))
    resources = [broken if one is first else one for one in recording.resources]
    changed = replace(recording, resources=tuple(resources))
    assert list(platform.every_lock_comes_after_what_it_holds_back(recording)) == []
    assert list(platform.every_lock_comes_after_what_it_holds_back(changed))


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        (structure.every_child_is_named_from_its_component, {"name": "other"}),
        (structure.only_layers_and_providers_stand_below_the_stack, {"parent": ""}),
        (structure.every_component_registers_outputs, {"custom": False, "outputs": {}}),
    ],
)
def test_a_misplaced_resource_is_noticed(invariant, change: dict[str, Any]) -> None:
    recording = recording_of(STACK)
    broken = replace(recording.of_type(":AgentPool")[0], **change)
    assert list(invariant(replace(recording, resources=(*recording.resources, broken))))


def test_a_secret_that_leaks_is_noticed() -> None:
    recording = recording_of(STACK)
    kubeconfig = recording.one("providers:kubernetes").inputs["kubeconfig"].value
    leaked = replace(recording, outputs={"kubeconfig": kubeconfig})
    assert list(structure.no_secret_stands_in_plain(recording)) == []
    assert list(structure.no_secret_stands_in_plain(leaked))


def _is(resource: Recorded, type_: str) -> bool:
    return resource.type.endswith(type_)


def _with(resource: Recorded, path: str, value: object) -> dict[str, Any]:
    inputs: Any = copy.deepcopy(dict(resource.inputs))
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    target = inputs
    for step in steps:
        target = target[step] if isinstance(step, int) else target.setdefault(step, {})
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value
    return inputs
