"""What a workload's container is told by environment variables; never a secret."""

from __future__ import annotations

from infra.kubernetes.key_file import KEY_FILE, KEY_FOLDER, WEB_KEY_FILE
from infra.kubernetes.places import API_PORT, METRICS_PORT
from infra.kubernetes.sign_in import sign_in_variables
from infra.sections.workloads import ServiceSettings
from infra.settings import Settings
from infra.workload import WorkloadName, is_service, settings_of

MIB = 1 << 20


def environment(
    settings: Settings, name: WorkloadName, hosts: dict[WorkloadName, str]
) -> dict[str, str]:
    """The variables of a workload: settings of services/<name>/settings.py, and OpenTelemetry's own.

    Args:
        settings: the stack's.
        name: the workload.
        hosts: under which name the client application finds each service.
    """
    workload = settings_of(settings, name)
    values: dict[str, object] = {
        "host": "0.0.0.0",  # noqa: S104 - the pod's address is not known before it runs
        "port": API_PORT,
        "metrics_port": METRICS_PORT,
        "drain_seconds": workload.drain_seconds,
        "stop_seconds": workload.stop_seconds,
    }
    if isinstance(workload, ServiceSettings):
        values |= _service(name, workload)
    if name == "resnet":
        values |= _resnet(settings)
    if name == "web":
        values |= _web(settings, hosts)
    variables = {f"{name}_{key}".upper(): str(value) for key, value in values.items()}
    return variables | _traces(settings, name)


def _traces(settings: Settings, name: WorkloadName) -> dict[str, str]:
    """https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"""
    traces = settings.monitoring.traces
    if traces is None or not is_service(name):
        return {}
    return {
        f"{name}_TRACING".upper(): "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{traces.service}.{traces.namespace}:{traces.port}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{traces.sample_percent / 100:g}",
    }


def _service(name: WorkloadName, service: ServiceSettings) -> dict[str, object]:
    # Threads are left to the service: it reads the container's CPU limit.
    return {
        "model": f"/models/{name}",
        "keys": f"{KEY_FOLDER}/{KEY_FILE}",
        "queue_limit": service.queue_limit,
        "queue_bytes": service.queue_mib * MIB,
        "deadline_ms": service.deadline_ms,
        "requests_per_second": service.requests_per_second,
    }


def _resnet(settings: Settings) -> dict[str, object]:
    resnet = settings.resnet
    return {
        # Never auto: a pod that finds no GPU must fail, not answer fifty times slower.
        "device": "cuda" if resnet.device == "gpu" else "cpu",
        "backend": resnet.backend,
        "max_pixels": resnet.max_pixels,
        # What the gateway lets through, the service takes, and no more.
        "max_body_bytes": settings.gateway.max_body_mib * MIB,
    }


def _web(settings: Settings, hosts: dict[WorkloadName, str]) -> dict[str, object]:
    values: dict[str, object] = {"max_picture_bytes": settings.gateway.max_body_mib * MIB}
    if settings.is_local:
        # Its port is published on a loopback address, and nowhere else.
        values["open_to_network"] = True
    elif settings.web.sign_in is not None:
        values |= sign_in_variables(settings, settings.web.sign_in)
    for service, host in hosts.items():
        values[f"{service}_url"] = f"http://{host}:{API_PORT}"
        values[f"{service}_key_file"] = f"{KEY_FOLDER}/{WEB_KEY_FILE}"
    return values
