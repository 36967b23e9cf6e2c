"""Limits that AKS and Azure have by themselves: what breaks them, and the border that is allowed."""

from __future__ import annotations

from tests.infra.rule_cases.case import Case

CASES = [
    Case(
        "network.service_range",
        "keeps for itself",
        {"network.service_range": "172.30.0.0/16", "network.dns_service_address": "172.30.0.10"},
        {"network.service_range": "172.29.0.0/16", "network.dns_service_address": "172.29.0.10"},
    ),
    Case(
        "network.service_range",
        "too large",
        {"network.service_range": "100.64.0.0/12", "network.dns_service_address": "100.64.0.10"},
        {"network.service_range": "100.64.0.0/13"},
    ),
    Case(
        "network.endpoints_subnet",
        "too small",
        {"network.endpoints_subnet": "10.40.4.0/30"},
        {"network.endpoints_subnet": "10.40.4.0/29"},
    ),
    Case(
        "network.pod_range",
        "room for 8 nodes",
        {"network.pod_range": "10.244.0.0/21"},
        {"network.pod_range": "10.244.0.0/20"},
    ),
]
