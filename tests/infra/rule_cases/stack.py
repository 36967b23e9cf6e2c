"""Rules of layers, images and the registry: what breaks them, and the border that is allowed."""

from __future__ import annotations

from tests.infra.rule_cases.case import DIGEST, LOCAL, PAGE, SERVICES, SUBNET, Case

CASES = [
    Case("layers", "beside others", {"layers": ["local", "platform"]}, LOCAL),
    Case("layers", "twice", {"layers": ["platform", "platform"]}, {"layers": ["platform"]}),
    Case("platform_stack", "is missing", {"layers": ["services"]}, SERVICES),
    Case("platform_stack", "is set", {"platform_stack": "o/p/s"}, SERVICES),
    Case("subscription_id", "is missing", {"subscription_id": None}, LOCAL),
    Case("tenant_id", "is missing", {"tenant_id": None}, LOCAL),
    Case(
        "resnet.device", "this machine", {**LOCAL, "resnet.device": "gpu"}, {"resnet.device": "cpu"}
    ),
    Case(
        "monitoring.traces",
        "has none",
        {**LOCAL, "monitoring.traces": {"namespace": "observability", "service": "collector"}},
        {"monitoring.traces": None},
    ),
    Case("web.api_key", "is missing", {**LOCAL, "web.enabled": True}, {"web.api_key": "k"}),
    Case(
        "web.sign_in",
        "local stack",
        {**LOCAL, **PAGE},
        {"web.enabled": False},
    ),
    Case(
        "faq.image",
        "prebuilt",
        {"images": "prebuilt", "resnet.image": DIGEST},
        {"faq.image": DIGEST},
    ),
    Case("faq.image", "builds its images", {"faq.image": DIGEST}, {"faq.image": None}),
    Case(
        "registry.docker_hub",
        "is missing",
        {"registry.kind": "docker_hub"},
        {"registry.docker_hub": {"namespace": "team", "username": "user", "token": "t"}},
    ),
    Case(
        "registry.acr.private",
        "Basic",
        {"registry.acr.private": True},
        {"registry.acr.sku": "Premium"},
    ),
    Case(
        "registry.acr.untagged_retention_days",
        "Standard",
        {"registry.acr": {"sku": "Standard", "untagged_retention_days": 0}},
        {"registry.acr.sku": "Premium"},
    ),
    Case(
        "registry.acr.replica_locations",
        "own location",
        {"registry.acr": {"sku": "Premium", "replica_locations": ["westeurope"]}},
        {"location": "northeurope"},
    ),
    Case(
        "registry.acr.existing_id",
        "new registry",
        {"registry.acr": {"sku": "Premium", "private": True, "existing_id": SUBNET}},
        {"registry.acr.private": False},
    ),
]
