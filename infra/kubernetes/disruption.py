"""How many pods of a workload may be missing while nodes are drained."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import meta, policy

from infra.kubernetes.object_meta import object_meta
from infra.kubernetes.pod import selector
from infra.sections.workloads import WorkloadSettings
from infra.workload import WorkloadName


def limit_disruption(
    name: str,
    workload: WorkloadName,
    settings: WorkloadSettings,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let drains go on, a few pods at a time.

    `maxUnavailable`, never `minAvailable`: a budget that asks for as many pods as there are blocks
    every upgrade of the nodes. With one pod it lets that one go, and the service with it, which is
    why production needs two (infra/rules.py). Pods that are not ready may always be evicted: they
    serve nobody, and would keep the node for ever.
    """
    policy.v1.PodDisruptionBudget(
        name,
        metadata=object_meta(workload, namespace),
        spec=policy.v1.PodDisruptionBudgetSpecArgs(
            max_unavailable=settings.max_unavailable,
            unhealthy_pod_eviction_policy="AlwaysAllow",
            selector=meta.v1.LabelSelectorArgs(match_labels=selector(workload)),
        ),
        opts=opts,
    )
