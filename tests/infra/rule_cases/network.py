"""Rules of the network and the way in: what breaks them, and the border that is allowed."""

from __future__ import annotations

from tests.infra.rule_cases.case import FIREWALL, KEY, PAGE, SUBNET, VNET, ZONE, Case

CASES = [
    Case(
        "network.nodes_subnet",
        "outside",
        {"network.nodes_subnet": "10.50.0.0/22"},
        {"network.nodes_subnet": "10.40.252.0/22"},
    ),
    Case(
        "network.endpoints_subnet",
        "overlaps",
        {"network.endpoints_subnet": "10.40.3.0/24"},
        {"network.endpoints_subnet": "10.40.6.0/24"},
    ),
    Case(
        "network.pod_range",
        "overlaps",
        {"network.pod_range": "10.40.128.0/17"},
        {"network.pod_range": "10.42.0.0/16"},
    ),
    Case(
        "network.dns_service_address",
        "cannot be",
        {"network.dns_service_address": "10.41.0.1"},
        {"network.dns_service_address": "10.41.0.2"},
    ),
    Case(
        "network.dns_service_address",
        "cannot be",
        {"network.dns_service_address": "10.41.255.255"},
        {"network.dns_service_address": "10.41.255.254"},
    ),
    # Two pools of 3 + 11 nodes, twice, and Azure's five addresses, in 32 of them.
    Case(
        "network.nodes_subnet",
        "32 addresses",
        {"network.nodes_subnet": "10.40.0.0/27", "cluster.cpu_pool.max_nodes": 11},
        {"cluster.cpu_pool.max_nodes": 10},
    ),
    Case(
        "network.existing_endpoints_subnet_id",
        "without",
        {"network.existing_endpoints_subnet_id": SUBNET},
        {"network.existing_nodes_subnet_id": SUBNET},
    ),
    Case(
        "network.existing_endpoints_subnet_id",
        "is missing",
        {
            "network.existing_nodes_subnet_id": SUBNET,
            "registry.acr": {"sku": "Premium", "private": True},
        },
        {"registry.acr.private": False},
    ),
    Case(
        "network.ddos.protection",
        "plan",
        {"network.existing_nodes_subnet_id": SUBNET, "network.ddos.protection": "plan"},
        {"network.ddos.protection": "ip"},
    ),
    Case(
        "network.peered_network_ids",
        "existing",
        {"network.existing_nodes_subnet_id": SUBNET, "network.peered_network_ids": [VNET]},
        {"network.peered_network_ids": []},
    ),
    Case(
        "network.flow_logs.enabled",
        "existing",
        {"network.existing_nodes_subnet_id": SUBNET, "network.flow_logs.enabled": True},
        {"network.flow_logs.enabled": False},
    ),
    Case(
        "gateway.web_application_firewall",
        "subnet",
        {**FIREWALL, "network.existing_nodes_subnet_id": SUBNET},
        {"network.existing_nodes_subnet_id": None},
    ),
    Case(
        "network.ddos.existing_plan_id",
        "is set",
        {"network.ddos.existing_plan_id": SUBNET},
        {"network.ddos.protection": "plan"},
    ),
    Case(
        "gateway.tls.email",
        "is missing",
        {"gateway.tls.issuer": "acme"},
        {"gateway.tls.email": "a@example.org"},
    ),
    Case(
        "gateway.tls.existing_secret",
        "existing-secret",
        {"gateway.tls.issuer": "existing-secret"},
        {"gateway.tls.existing_secret": "tls"},
    ),
    Case(
        "gateway.tls.existing_secret",
        "self-signed",
        {"gateway.tls.existing_secret": "tls"},
        {"gateway.tls.issuer": "existing-secret"},
    ),
    Case("gateway.replicas", "4 is over", {"gateway.replicas": 4}, {"gateway.replicas": 3}),
    Case(
        "gateway.request_timeout_seconds",
        "shorter",
        {"gateway.request_timeout_seconds": 5, "faq.deadline_ms": 5001},
        {"faq.deadline_ms": 5000},
    ),
    Case(
        "gateway.dns_zone_id",
        "no public",
        {"gateway.dns_zone_id": SUBNET},
        {"gateway.dns_zone_id": ZONE},
    ),
    Case(
        "gateway.host_name",
        "outside",
        {"gateway.dns_zone_id": ZONE, "gateway.host_name": "notexample.org"},
        {"gateway.host_name": "example.org"},
    ),
    Case(
        "gateway.dns_zone_id",
        "subscription",
        {"gateway.dns_zone_id": ZONE.replace("1111-1111-1111", "1111-1111-9999")},
        {"gateway.dns_zone_id": ZONE},
    ),
    Case(
        "gateway.firewall_certificate_id",
        "is missing",
        {**FIREWALL, "gateway.firewall_certificate_id": None},
        FIREWALL,
    ),
    Case(
        "gateway.firewall_certificate_vault_id",
        "is missing",
        {**FIREWALL, "gateway.firewall_certificate_vault_id": None},
        FIREWALL,
    ),
    Case(
        "gateway.tls.issuer",
        "firewall",
        {**FIREWALL, "gateway.tls.issuer": "acme-staging"},
        FIREWALL,
    ),
    Case(
        "gateway.internal_address",
        "outside",
        {**FIREWALL, "gateway.internal_address": "10.40.4.0"},
        {"gateway.internal_address": "10.40.3.254"},
    ),
    Case(
        "gateway.internal_address",
        "kept by Azure",
        {**FIREWALL, "gateway.internal_address": "10.40.3.255"},
        {"gateway.internal_address": "10.40.3.254"},
    ),
    Case(
        "gateway.internal_address",
        "kept by Azure",
        {**FIREWALL, "gateway.internal_address": "10.40.0.3"},
        {"gateway.internal_address": "10.40.0.4"},
    ),
    Case(
        "gateway.internal_address",
        "kept by Azure",
        {**FIREWALL, "gateway.internal_address": "10.40.0.0"},
        {"gateway.web_application_firewall": "off"},
    ),
    Case(
        "api_keys[1].name",
        "already",
        {"api_keys": [KEY, KEY]},
        {"api_keys": [KEY, {**KEY, "name": "b"}]},
    ),
    Case(
        "api_keys[0].name",
        "already",
        {**PAGE, "api_keys": [{**KEY, "name": "web"}]},
        {"api_keys": [KEY]},
    ),
]
