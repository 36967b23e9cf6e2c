"""What a namespace may take together, so that one mistake cannot take the whole cluster.

Quotas follow from the settings: they leave room for every workload at its most replicas, for the
pods that a rolling update adds, and for those that it is ending meanwhile, which count until they
are gone (kubernetes.io/docs/concepts/policy/resource-quotas).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.object_meta import object_meta
from infra.scheduling import GPU_RESOURCE, PROXY_MEBIBYTES, PROXY_MILLICORES
from infra.workload import enabled, pool_of, settings_of

if TYPE_CHECKING:
    from infra.settings import Settings

SOLVERS = 2
"""Pods that answer ACME challenges: one, and its successor."""
DEFAULT_MILLICORES = 100
DEFAULT_MEBIBYTES = 128
"""Of containers that ask for nothing, such as those of jobs that charts bring."""
CONTROLLER_MILLICORES = 1500
CONTROLLER_MEBIBYTES = 4096
CONTROLLER_PODS = 6
"""Of Envoy Gateway's controllers during an upgrade, and the job that makes their certificates."""
MOST_GPU_NODES = 1000
"""Where the stack holds no GPU pool and cannot know its size; AKS' own limit of a pool."""


@dataclass(frozen=True)
class Budget:
    """What pods ask for together."""

    pods: int
    millicores: int
    mebibytes: int
    gpus: int = 0

    def __add__(self, other: Budget) -> Budget:
        """Both together."""
        return Budget(
            self.pods + other.pods,
            self.millicores + other.millicores,
            self.mebibytes + other.mebibytes,
            self.gpus + other.gpus,
        )


def most_pods(max_replicas: int) -> int:
    """Pods in the middle of a rolling update: new ones, a quarter more, and old ones that end."""
    surge = -(-max_replicas // 4)
    return 2 * max_replicas + surge


def services_budget(settings: Settings) -> Budget:
    """Of the services' namespace."""
    budget = Budget(SOLVERS, SOLVERS * DEFAULT_MILLICORES, SOLVERS * DEFAULT_MEBIBYTES)
    for name in enabled(settings):
        workload = settings_of(settings, name)
        pods = most_pods(workload.scaling.max_replicas)
        budget += Budget(
            pods,
            pods * workload.cpu_millicores,
            pods * workload.memory_mib,
            pods if pool_of(settings, name) == "gpu" else 0,
        )
    return budget


def gateway_budget(settings: Settings) -> Budget:
    """Of the gateway's namespace: its proxies and their controllers."""
    proxies = most_pods(settings.gateway.max_replicas)
    return Budget(
        proxies + CONTROLLER_PODS,
        proxies * PROXY_MILLICORES + CONTROLLER_MILLICORES,
        proxies * PROXY_MEBIBYTES + CONTROLLER_MEBIBYTES,
    )


def declare_quota(
    name: str,
    namespace: pulumi.Input[str],
    budget: Budget,
    *,
    load_balancers: int,
    parent: pulumi.Resource,
) -> None:
    """Declare a namespace's quota, and what its containers ask for that say nothing.

    CPU limits are left out on purpose: a quota on them would force one on every container.
    """
    opts = pulumi.ResourceOptions(parent=parent)
    kubernetes.core.v1.ResourceQuota(
        f"{name}-quota",
        metadata=object_meta("quota", namespace),
        spec=kubernetes.core.v1.ResourceQuotaSpecArgs(
            hard={
                "pods": str(budget.pods),
                "requests.cpu": f"{budget.millicores}m",
                "requests.memory": f"{budget.mebibytes}Mi",
                "limits.memory": f"{budget.mebibytes}Mi",
                f"requests.{GPU_RESOURCE}": str(budget.gpus),
                "services.loadbalancers": str(load_balancers),
                "persistentvolumeclaims": "0",
            }
        ),
        opts=opts,
    )
    kubernetes.core.v1.LimitRange(
        f"{name}-limits",
        metadata=object_meta("limits", namespace),
        spec=kubernetes.core.v1.LimitRangeSpecArgs(
            limits=[
                kubernetes.core.v1.LimitRangeItemArgs(
                    type="Container",
                    default={"memory": f"{DEFAULT_MEBIBYTES}Mi"},
                    default_request={
                        "cpu": f"{DEFAULT_MILLICORES}m",
                        "memory": f"{DEFAULT_MEBIBYTES}Mi",
                    },
                )
            ]
        ),
        opts=opts,
    )


def declare_critical_quota(
    name: str, namespace: pulumi.Input[str], pods: int, parent: pulumi.Resource
) -> None:
    """Declare how many node-critical pods a namespace may have, and that it has no others."""
    critical = kubernetes.core.v1.ScopedResourceSelectorRequirementArgs(
        operator="In", scope_name="PriorityClass", values=["system-node-critical"]
    )
    opts = pulumi.ResourceOptions(parent=parent)
    kubernetes.core.v1.ResourceQuota(
        f"{name}-quota",
        metadata=object_meta("critical-pods", namespace),
        spec=kubernetes.core.v1.ResourceQuotaSpecArgs(
            hard={"pods": str(pods)},
            scope_selector=kubernetes.core.v1.ScopeSelectorArgs(match_expressions=[critical]),
        ),
        opts=opts,
    )
