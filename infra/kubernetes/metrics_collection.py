"""Which pods managed Prometheus scrapes."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from infra.azure.prometheus_rules import EXTRA_KUBE_STATE_METRICS
from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.places import (
    CERTIFICATES_NAMESPACE,
    GATEWAY_NAMESPACE,
    SERVICES_NAMESPACE,
)

NAMESPACE = "kube-system"
NAME = "ama-metrics-settings-configmap"
SCRAPED = (SERVICES_NAMESPACE, GATEWAY_NAMESPACE, CERTIFICATES_NAMESPACE)
INTERVAL_SECONDS = 15
"""Half the default: scaling on the queue's depth can be no quicker than its metric."""


class MetricsCollection(pulumi.ComponentResource):
    """Settings of the Azure Monitor metrics add-on, which are a ConfigMap of a fixed name.

    AKS itself never makes this object: the add-on runs on its defaults until somebody does, so
    the stack may own it. Where it exists already, creation fails and says so; then import it
    (`pulumi import`) rather than patch it, or two owners would take turns. Parts left out keep
    the add-on's defaults; its pods start again by themselves after a change. Source:
    learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("realtime-scoring:kubernetes:MetricsCollection", name, None, opts)
        settings = kubernetes.core.v1.ConfigMap(
            f"{name}-settings",
            metadata=object_meta(NAME, NAMESPACE),
            data={
                "schema-version": "v1",
                "config-version": "ver1",
                "pod-annotation-based-scraping": (
                    f'podannotationnamespaceregex = "{"|".join(SCRAPED)}"\n'
                ),
                "default-targets-metrics-keep-list": (
                    f'kubestate = "{"|".join(EXTRA_KUBE_STATE_METRICS)}"\n'
                    "minimalingestionprofile = true\n"
                ),
                "default-targets-scrape-interval-settings": (
                    f'podannotations = "{INTERVAL_SECONDS}s"\n'
                ),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"configMap": settings.id})
