"""Rules of the services: devices, scaling, room on the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.capacity import cpu_nodes_for_most_pods, gpu_pods_per_node, pod_fits
from infra.mistakes import Mistake
from infra.rules.choices import workloads_of
from infra.sections.workloads import ServiceSettings

if TYPE_CHECKING:
    from infra.sections.node_pools import GpuPoolSettings
    from infra.sections.workloads import WorkloadSettings
    from infra.settings import Settings

Mistakes = Iterator[Mistake]


def gpu_service(settings: Settings) -> Mistakes:
    """A service on a GPU has one."""
    resnet = settings.resnet
    if not resnet.enabled:
        return
    because = ("resnet.device",)
    if resnet.device == "gpu" and resnet.backend not in ("auto", "torch"):
        yield Mistake(
            "resnet.backend", f"the image of {resnet.backend} runs on the CPU only",
            "torch or auto on a gpu", because,
        )  # fmt: skip
    if resnet.device == "gpu" and settings.has_platform and settings.cluster.gpu_pool is None:
        yield Mistake(
            "resnet.device", "gpu, and the cluster has no GPU pool",
            "cpu, or settings in cluster.gpu_pool", ("cluster.gpu_pool",),
        )  # fmt: skip


def published_weights(settings: Settings) -> Mistakes:
    """Weights are asked of the library that publishes them."""
    resnet = settings.resnet
    of_keras = resnet.backend in ("keras", "tensorflow")
    known = ("default", "imagenet", "seeded")
    if of_keras and settings.images == "build" and resnet.weights not in known:
        yield Mistake(
            "resnet.weights", f"{resnet.weights} is not a name of Keras's", ", ".join(known),
            ("resnet.backend",),
        )  # fmt: skip


def queues(settings: Settings) -> Mistakes:
    """Bodies that wait leave room for the model, and a queue takes what the gateway lets through."""
    for name, workload in workloads_of(settings):
        if isinstance(workload, ServiceSettings) and workload.queue_mib >= workload.memory_mib:
            yield Mistake(
                f"{name}.queue_mib", f"{workload.queue_mib} could be all of a pod's memory",
                f"less than {name}.memory_mib, {workload.memory_mib}", (f"{name}.memory_mib",),
            )  # fmt: skip
    resnet, largest = settings.resnet, settings.gateway.max_body_mib
    if resnet.enabled and resnet.queue_mib < largest:
        yield Mistake(
            "resnet.queue_mib", f"{resnet.queue_mib} is less than one picture may have",
            f"at least gateway.max_body_mib, {largest}", ("gateway.max_body_mib",),
        )  # fmt: skip


def scaling(settings: Settings) -> Mistakes:
    """Replicas, drains and what scales."""
    for name, workload in workloads_of(settings):
        scaling = workload.scaling
        path = f"{name}.scaling"
        if scaling.min_replicas > scaling.max_replicas:
            yield Mistake(
                f"{path}.min_replicas", f"{scaling.min_replicas} is over max_replicas",
                f"at most {path}.max_replicas, {scaling.max_replicas}", (f"{path}.max_replicas",),
            )  # fmt: skip
        if scaling.min_replicas > 1 and workload.max_unavailable >= scaling.min_replicas:
            yield Mistake(
                f"{name}.max_unavailable", f"{workload.max_unavailable} could be all the pods",
                f"less than {path}.min_replicas, {scaling.min_replicas}", (f"{path}.min_replicas",),
            )  # fmt: skip
        if settings.environment == "prod" and scaling.min_replicas < 2:
            yield Mistake(
                f"{path}.min_replicas", "1 stops the service whenever a node is drained",
                "at least 2 in prod", ("environment",),
            )  # fmt: skip
    if settings.web.scaling.metric == "queue":
        yield Mistake("web.scaling.metric", "queue, and the page has no model", "cpu")
    if settings.web.enabled and settings.has_services and settings.web.api_key is None:
        yield Mistake(
            "web.api_key", "is missing", "`pulumi config set --secret --path web.api_key`",
            ("web.enabled",),
        )  # fmt: skip


def pods_fit(settings: Settings) -> Mistakes:
    """Every pod fits on an empty node of its pool, and its pool can grow to hold the most pods."""
    if not (settings.has_platform and settings.has_services):
        return
    on_cpu: dict[str, WorkloadSettings] = {}
    all_fit = True
    for name, workload in workloads_of(settings):
        on_gpu = name == "resnet" and settings.resnet.device == "gpu"
        if on_gpu and settings.cluster.gpu_pool is None:
            continue
        pool_name = "gpu_pool" if on_gpu else "cpu_pool"
        if (fault := pod_fits(settings, pool_name, workload)) is not None:
            all_fit = all_fit and on_gpu
            yield Mistake(f"{name}.{fault.key}", fault.wrong, fault.allowed,
                          (f"cluster.{pool_name}.vm_size",))  # fmt: skip
        elif settings.cluster.gpu_pool is not None and on_gpu:
            yield from _gpu_pool_holds(settings.cluster.gpu_pool, name, workload)
        else:
            on_cpu[name] = workload
    if all_fit:
        yield from _cpu_pool_holds(settings, on_cpu)


def _gpu_pool_holds(pool: GpuPoolSettings, name: str, workload: WorkloadSettings) -> Mistakes:
    """A pod of one GPU each."""
    each = gpu_pods_per_node(pool, workload)
    most = pool.max_nodes * each
    if most < workload.scaling.max_replicas:
        yield Mistake(
            f"{name}.scaling.max_replicas",
            f"{workload.scaling.max_replicas} pods do not fit on the full GPU pool",
            f"at most {most}, {each} on each of {pool.max_nodes} nodes of {pool.vm_size}, or more "
            "cluster.gpu_pool.max_nodes",
            (*(f"cluster.gpu_pool.{key}" for key in
               ("max_nodes", "max_pods", "mig_profile", "time_slices", "vm_size")),
             f"{name}.cpu_millicores", f"{name}.memory_mib"),
        )  # fmt: skip


def _cpu_pool_holds(settings: Settings, workloads: dict[str, WorkloadSettings]) -> Mistakes:
    """All that runs there at its most replicas, the gateway's own pods included."""
    pool = settings.cluster.cpu_pool
    needed = cpu_nodes_for_most_pods(settings, list(workloads.values()))
    if needed <= pool.max_nodes:
        return
    most = [*(f"{name}.scaling.max_replicas" for name in workloads), "gateway.max_replicas"]
    yield Mistake(
        "cluster.cpu_pool.max_nodes",
        f"{pool.max_nodes} nodes of {pool.vm_size} do not hold the most pods",
        f"at least {needed}, a larger cluster.cpu_pool.vm_size, or less of {', '.join(most)}",
        ("cluster.cpu_pool.vm_size", "cluster.cpu_pool.max_pods", *most,
         *(f"{name}.{key}" for name in workloads for key in ("cpu_millicores", "memory_mib"))),
    )  # fmt: skip
