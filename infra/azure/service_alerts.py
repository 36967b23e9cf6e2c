"""Alerts on the two services: what their users notice, and what will soon make them notice."""

from __future__ import annotations

from infra.azure.prometheus_rules import SERVICE_LABEL, AlertRule, Severity, without_pods
from infra.azure.recording_rules import LATENCY, QUEUE_WAIT, REQUESTS
from infra.kubernetes.places import (
    CERTIFICATES_NAMESPACE,
    GATEWAY_NAMESPACE,
    SERVICES_NAMESPACE,
)
from infra.sections.monitoring import AlertSettings

IN_NAMESPACE = f'namespace="{SERVICES_NAMESPACE}"'
IN_NAMESPACES = f'namespace=~"{SERVICES_NAMESPACE}|{GATEWAY_NAMESPACE}|{CERTIFICATES_NAMESPACE}"'
"""The services, the proxies before them, and what renews the certificate."""
SERVER_ERRORS = 'code=~"5..",code!="503"'
"""503 is how a full service says so, and has an alert of its own."""
ANSWERED = 'code!="499"'
"""499 is a client that hung up: neither good nor bad."""
REFUSALS = 'code="503"'
LONGEST_START_MINUTES = 45
"""A node, the image and the model: somewhat more than the stack waits for a release."""
SCORING_DEPLOYMENTS = 'deployment=~"faq|resnet"'
GPU_REQUESTS = 'kube_pod_container_resource_requests{resource=~"nvidia_com_.*"}'
PENDING = f'kube_pod_status_phase{{{IN_NAMESPACES},phase="Pending"}} == 1'


def service_alerts(settings: AlertSettings) -> tuple[AlertRule, ...]:
    """Alerts on answers: errors, latency, refusals, readiness."""
    return (
        AlertRule(
            "ServiceErrors",
            f"{_percent_of_requests(SERVER_ERRORS)} > {settings.error_percent:g}",
            10,
            Severity.ERROR,
            f"More than {settings.error_percent:g} % of a service's answers are server errors.",
        ),
        AlertRule(
            "ServiceRefusals",
            f"{_percent_of_requests(REFUSALS)} > {settings.refused_percent:g}",
            10,
            Severity.WARNING,
            f"A service refuses more than {settings.refused_percent:g} % of its requests, because "
            "it is full.",
        ),
        AlertRule(
            "ServiceSlow",
            f"{LATENCY} > {settings.p95_latency_ms / 1000:g}",
            10,
            Severity.WARNING,
            f"One request in twenty takes longer than {settings.p95_latency_ms} ms.",
        ),
        AlertRule(
            "ServiceQueueSaturated",
            f"{QUEUE_WAIT} > {settings.p95_latency_ms / 2000:g}",
            10,
            Severity.WARNING,
            "Requests wait for the model longer than half of the latency that is allowed.",
        ),
        AlertRule(
            "ServiceDropsWork",
            f"sum by ({SERVICE_LABEL}) (rate(modelsvc_dropped_items_total[5m])) > 0",
            15,
            Severity.WARNING,
            "A service accepts requests whose deadline is over before the model gets to them.",
        ),
        AlertRule(
            "ServicePodNotReady",
            # A pod cannot say it itself: its metrics come once its model is loaded and warm. Counted
            # are those of a new release, too, which the old one's stay beside until it is ready.
            f"kube_deployment_status_replicas_unavailable{{{IN_NAMESPACE},{SCORING_DEPLOYMENTS}}} > 0",
            LONGEST_START_MINUTES,
            Severity.WARNING,
            "A service's pod is not ready, and has been for longer than one may take to start.",
        ),
        AlertRule(
            "ServiceModelRefused",
            # Long enough to be read; a folder that is tried again is counted again.
            f"sum by ({SERVICE_LABEL}) "
            '(increase(modelsvc_model_updates_total{result="refused"}[2h])) > 0',
            1,
            Severity.WARNING,
            "A service refused the new model that it found, and goes on with the one before.",
        ),
        AlertRule(
            "ServiceDown",
            without_pods(SERVICES_NAMESPACE),
            2,
            Severity.CRITICAL,
            "No pod of a service can take requests.",
        ),
        AlertRule(
            "ServiceWithoutMetrics",
            # A service that the stack does not deploy has no Deployment and raises no alert.
            f"kube_deployment_status_replicas_available{{{IN_NAMESPACE},{SCORING_DEPLOYMENTS}}} > 0 "
            f"unless on (deployment) label_replace(count by ({SERVICE_LABEL}) (modelsvc_ready), "
            f'"deployment", "$1", "{SERVICE_LABEL}", "(.+)")',
            15,
            Severity.ERROR,
            "A service runs and none of its metrics arrive, so its other alerts are blind.",
        ),
    )


def workload_alerts() -> tuple[AlertRule, ...]:
    """Alerts on pods of the services and the gateway: restarts, memory, scheduling, scaling."""
    restarts = f"kube_pod_container_status_restarts_total{{{IN_NAMESPACES}}}"
    waiting = f"kube_pod_container_status_waiting_reason{{{IN_NAMESPACES}"
    return (
        AlertRule(
            "PodRestarts",
            # An increase is extrapolated to the window's edges: two restarts come out as 2.07.
            f"increase({restarts}[30m]) > 2.5",
            5,
            Severity.WARNING,
            "A container restarted three times or more in half an hour.",
        ),
        AlertRule(
            "PodOutOfMemory",
            f"increase({restarts}[15m]) > 0 and on (namespace, pod, container) "
            f'kube_pod_container_status_last_terminated_reason{{{IN_NAMESPACES},reason="OOMKilled"}}'
            " == 1",
            1,
            Severity.ERROR,
            "A container was killed because it used more memory than its limit.",
        ),
        AlertRule(
            "PodCrashLoop",
            f'max_over_time({waiting},reason="CrashLoopBackOff"}}[5m]) >= 1',
            5,
            Severity.ERROR,
            "A container keeps ending right after it starts.",
        ),
        AlertRule(
            "PodImageOrConfiguration",
            # The kubelet says one reason while it tries and another while it waits.
            "max by (namespace, pod, container) (max_over_time("
            f'{waiting},reason=~"ImagePullBackOff|ErrImagePull|CreateContainerConfigError"}}[2m]))'
            " >= 1",
            10,
            Severity.ERROR,
            "A container cannot start: its image cannot be pulled, or a Secret is missing.",
        ),
        AlertRule(
            "PodMemoryNearLimit",
            "max by (namespace, pod, container) "
            f'(container_memory_working_set_bytes{{{IN_NAMESPACES},container!=""}}) '
            "/ on (namespace, pod, container) max by (namespace, pod, container) "
            f'(kube_pod_container_resource_limits{{{IN_NAMESPACES},resource="memory"}}) > 0.9',
            15,
            Severity.WARNING,
            "A container uses more than 90 % of its memory limit.",
        ),
        AlertRule(
            "PodPending",
            f"{PENDING} unless on (namespace, pod) {GPU_REQUESTS}",
            15,
            Severity.WARNING,
            "A pod has waited a quarter of an hour for a node.",
        ),
        AlertRule(
            "GpuPodPending",
            # A GPU node takes ten minutes and more until its drivers are there.
            f"{PENDING} and on (namespace, pod) {GPU_REQUESTS} > 0",
            25,
            Severity.ERROR,
            "A pod has waited 25 minutes for a GPU.",
        ),
        AlertRule(
            "AutoscalerAtMaximum",
            f"kube_horizontalpodautoscaler_status_current_replicas{{{IN_NAMESPACE}}} "
            f">= kube_horizontalpodautoscaler_spec_max_replicas{{{IN_NAMESPACE}}} "
            "and on (namespace, horizontalpodautoscaler) "
            f"kube_horizontalpodautoscaler_spec_max_replicas{{{IN_NAMESPACE}}} "
            f"> kube_horizontalpodautoscaler_spec_min_replicas{{{IN_NAMESPACE}}}",
            15,
            Severity.WARNING,
            "A service has as many pods as it may have, and would take more.",
        ),
        AlertRule(
            "DisruptionBudgetExhausted",
            f"kube_poddisruptionbudget_status_pod_disruptions_allowed{{{IN_NAMESPACE}}} == 0",
            60,
            Severity.INFORMATION,
            "No pod of a service may be moved, so nodes cannot be drained or upgraded.",
        ),
    )


def _percent_of_requests(codes: str) -> str:
    return (
        f"100 * sum by ({SERVICE_LABEL}) ({REQUESTS}{{{codes}}}) "
        f"/ sum by ({SERVICE_LABEL}) ({REQUESTS}{{{ANSWERED}}})"
    )
