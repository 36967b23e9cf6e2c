"""Alerts on the cluster's nodes, volumes, certificates and on the collection of metrics itself."""

from __future__ import annotations

from infra.azure.prometheus_rules import AlertRule, Severity, without_pods
from infra.azure.recording_rules import NODE_CPU, NODE_MEMORY
from infra.kubernetes.places import CERTIFICATES_NAMESPACE, GATEWAY_NAMESPACE

DAY_SECONDS = 24 * 60 * 60
CERTIFICATE_DAYS = 14
"""cert-manager renews 30 days before the end: at 14 two weeks of attempts have failed."""


def cluster_alerts() -> tuple[AlertRule, ...]:
    """Alerts that have nothing to do with any one service."""
    return (
        AlertRule(
            "GatewayDown",
            without_pods(GATEWAY_NAMESPACE),
            2,
            Severity.CRITICAL,
            "The gateway has no pod, or its controller has none.",
        ),
        AlertRule(
            "CertManagerDown",
            # Its metrics go with it, so that CertificateExpires would stay silent.
            without_pods(CERTIFICATES_NAMESPACE),
            60,
            Severity.WARNING,
            "A part of cert-manager does not run, so certificates may not be renewed.",
        ),
        AlertRule(
            "NodeNotReady",
            'kube_node_status_condition{condition="Ready",status="true"} == 0',
            10,
            Severity.ERROR,
            "A node has not been ready for ten minutes.",
        ),
        AlertRule(
            "NodeUnderPressure",
            "kube_node_status_condition"
            '{condition=~"MemoryPressure|DiskPressure|PIDPressure",status="true"} == 1',
            5,
            Severity.WARNING,
            "A node is short of memory, disk or process ids and evicts pods.",
        ),
        AlertRule(
            "NodeCpuHigh",
            f"{NODE_CPU} > 0.95",
            30,
            Severity.INFORMATION,
            "A node's processors have been busy for half an hour.",
        ),
        AlertRule(
            "NodeMemoryHigh",
            f"{NODE_MEMORY} > 0.9",
            15,
            Severity.WARNING,
            "More than 90 % of a node's memory is in use.",
        ),
        AlertRule(
            "NodeDiskFull",
            'node_filesystem_avail_bytes{job="node",mountpoint="/"} '
            '/ node_filesystem_size_bytes{job="node",mountpoint="/"} < 0.1',
            15,
            Severity.WARNING,
            "Less than 10 % of a node's disk is free.",
        ),
        AlertRule(
            "VolumeNearlyFull",
            "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.1",
            15,
            Severity.WARNING,
            "Less than 10 % of a volume is free.",
        ),
        AlertRule(
            "CertificateExpires",
            "min by (name) (certmanager_certificate_expiration_timestamp_seconds) - time() "
            f"< {CERTIFICATE_DAYS * DAY_SECONDS}",
            60,
            Severity.ERROR,
            f"A certificate ends in less than {CERTIFICATE_DAYS} days and is not renewed.",
        ),
        AlertRule(
            "MetricsMissing",
            "absent(kube_node_status_condition)",
            15,
            Severity.ERROR,
            "No metrics of the cluster arrive, so no alert on metrics can be raised.",
        ),
    )
