"""Rules of the cluster, monitoring and protection: what breaks them, and the border that is allowed."""

from __future__ import annotations

from tests.infra.rule_cases.case import QUEUE, SERVICES, USER, Case

CASES = [
    Case(
        "cluster.authorized_ip_ranges",
        "private",
        {"cluster": {"private": True, "authorized_ip_ranges": ["203.0.113.0/24"]}},
        {"cluster.private": False},
    ),
    Case(
        "cluster.authorized_ip_ranges",
        "everybody",
        {"cluster": {"tier": "Standard", "authorized_ip_ranges": ["0.0.0.0/0"]}},
        {"environment": "dev"},
        prod=True,
    ),
    Case(
        "cluster.authorized_ip_ranges",
        "everybody",
        {"cluster": {"tier": "Standard", "authorized_ip_ranges": ["128.0.0.0/1"]}},
        {"cluster.authorized_ip_ranges": ["10.0.0.0/8"]},
        prod=True,
    ),
    Case(
        "cluster.private",
        "no authorized",
        {"cluster.private": False},
        {"cluster.authorized_ip_ranges": ["203.0.113.0/24"]},
        prod=True,
    ),
    Case("cluster.tier", "Free", {"cluster.tier": "Free"}, {"cluster.tier": "Premium"}, prod=True),
    Case(
        "cluster.cost_analysis",
        "paid",
        {"cluster.cost_analysis": True},
        {"cluster.tier": "Standard"},
    ),
    Case("cluster.zones", "twice", {"cluster.zones": ["1", "1"]}, {"cluster.zones": ["1", "2"]}),
    Case(
        "cluster.cpu_pool.min_nodes",
        "6 is over",
        {"cluster.cpu_pool.min_nodes": 6},
        {"cluster.cpu_pool.min_nodes": 5},
    ),
    Case(
        "cluster.system_pool.os_disk_gb",
        "does not fit",
        {"cluster.system_pool.os_disk_gb": 76},
        {"cluster.system_pool.os_disk_gb": 75},
    ),
    Case(
        "cluster.cpu_pool.vm_size",
        "has GPUs",
        {"cluster.cpu_pool.vm_size": "Standard_NC4as_T4_v3"},
        {"cluster.cpu_pool.vm_size": "Standard_D4ds_v5"},
    ),
    Case(
        "cluster.cpu_pool.name",
        "another pool",
        {"cluster.cpu_pool.name": "system"},
        {"cluster.cpu_pool.name": "system2"},
    ),
    Case(
        "cluster.gpu_pool.vm_size",
        "has no GPU",
        {"cluster.gpu_pool.vm_size": "Standard_D4ds_v5"},
        {"cluster.gpu_pool.vm_size": "Standard_NC4as_T4_v3"},
    ),
    Case(
        "cluster.gpu_pool.mig_profile",
        "cannot be cut",
        {"cluster.gpu_pool.mig_profile": "MIG1g"},
        {"cluster.gpu_pool.vm_size": "Standard_NC40ads_H100_v5"},
    ),
    Case(
        "cluster.gpu_pool.time_slices",
        "together",
        {
            "cluster.gpu_pool": {
                "vm_size": "Standard_NC40ads_H100_v5",
                "mig_profile": "MIG1g",
                "time_slices": 2,
            }
        },
        {"cluster.gpu_pool.time_slices": 1},
    ),
    Case(
        "cluster.gpu_pool.spot_max_price_usd",
        "without spot",
        {"cluster.gpu_pool.spot_max_price_usd": 0.5},
        {"cluster.gpu_pool.spot": True},
    ),
    Case(
        "cluster.gpu_pool.spot_max_price_usd",
        "no price",
        {"cluster.gpu_pool": {"spot": True, "spot_max_price_usd": 0}},
        {"cluster.gpu_pool.spot_max_price_usd": 0.01},
    ),
    Case(
        "access.operator_users[1].object_id",
        "already",
        {"access.operator_users": [USER, {**USER, "user_principal_name": "ada@example.org"}]},
        {"access.operator_users": [USER]},
    ),
    Case(
        "monitoring.grafana",
        "without metrics",
        {"monitoring.grafana": True},
        {"monitoring.prometheus": True},
    ),
    Case("resnet.scaling.metric", "nothing collects", QUEUE, {"monitoring.prometheus": True}),
    Case(
        "monitoring.monthly_budget",
        "nobody",
        {"monitoring.monthly_budget": 1, "monitoring.budget_from": "2026-12"},
        {"monitoring.alerts.emails": ["a@example.org"]},
    ),
    Case(
        "monitoring.budget_from",
        "is missing",
        {"monitoring.monthly_budget": 1, "monitoring.alerts.emails": ["a@example.org"]},
        {"monitoring.budget_from": "2026-12"},
    ),
    Case(
        "security.defender.contact",
        "is missing",
        {"security.defender.plan": "owned"},
        {"security.defender.contact": "a@example.org"},
    ),
    Case(
        "security.defender.plan",
        "off",
        {"security.defender.cluster_profile": True},
        {"security.defender.plan": "elsewhere"},
    ),
    Case(
        "security.key_vault.private",
        "without",
        {"security.key_vault.private": True},
        {"security.key_vault.enabled": True},
    ),
    Case(
        "gateway.tls.issuer",
        "trusted by nobody",
        {"gateway.tls": {"issuer": "self-signed"}},
        {"gateway.tls": {"issuer": "existing-secret", "existing_secret": "s"}},
        prod=True,
    ),
    Case(
        "security.protect",
        "false",
        {"security.protect": False},
        {"security.protect": True},
        prod=True,
    ),
    Case(
        "access.cluster_admin_groups",
        "empty",
        {"access.cluster_admin_groups": []},
        SERVICES,
        prod=True,
    ),
]
