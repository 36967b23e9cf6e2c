"""What makes each alert on metrics go off, and what comes close and must not.

Series are in promtool's notation (prometheus.io/docs/prometheus/latest/configuration/
unit_testing_rules): ``0+98x60`` grows by 98 a minute for an hour, ``_`` is a minute without value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FAQ = 'app_kubernetes_io_name="faq"'
SCORING = 'namespace="scoring"'
CONTAINER = f'{SCORING},pod="p",container="faq"'
ANSWERS = f'modelsvc_requests_total{{{FAQ},route="/score",code="%s"}}'
PROBES = f'modelsvc_requests_total{{{FAQ},route="/readyz",code="503"}}'
LATENCY = f'modelsvc_request_duration_seconds_bucket{{{FAQ},route="%s",le="%s"}}'
QUEUE = f'modelsvc_queue_seconds_bucket{{{FAQ},le="%s"}}'
AVAILABLE = f'kube_deployment_status_replicas_available{{{SCORING},deployment="faq"}}'
WANTED = f'kube_deployment_spec_replicas{{{SCORING},deployment="faq"}}'
UNAVAILABLE = f'kube_deployment_status_replicas_unavailable{{{SCORING},deployment="faq"}}'
REFUSED_MODELS = f'modelsvc_model_updates_total{{{FAQ},kubernetes_pod_name="%s",result="refused"}}'
READY = f'modelsvc_ready{{{FAQ},kubernetes_pod_name="p"}}'
RESTARTS = f"kube_pod_container_status_restarts_total{{{CONTAINER}}}"
KILLED = f'kube_pod_container_status_last_terminated_reason{{{CONTAINER},reason="%s"}}'
WAITING = f'kube_pod_container_status_waiting_reason{{{CONTAINER},reason="%s"}}'
USED = f'container_memory_working_set_bytes{{{CONTAINER},node="n"}}'
LIMIT = f'kube_pod_container_resource_limits{{{CONTAINER},node="n",resource="memory"}}'
PENDING = f'kube_pod_status_phase{{{SCORING},pod="p",phase="Pending"}}'
GPU = (
    f'kube_pod_container_resource_requests{{{SCORING},pod="p",container="resnet",'
    'resource="nvidia_com_gpu"}'
)
HPA = f'kube_horizontalpodautoscaler_%s_replicas{{{SCORING},horizontalpodautoscaler="faq"}}'
BUDGET = (
    f"kube_poddisruptionbudget_status_pod_disruptions_allowed{{{SCORING},"
    'poddisruptionbudget="faq"}'
)
CONDITION = 'kube_node_status_condition{node="n",condition="%s",status="true"}'
CPU = 'node_cpu_seconds_total{job="node",instance="n",cpu="0",mode="%s"}'
MEMORY = 'node_memory_%s_bytes{job="node",instance="n"}'
DISK = 'node_filesystem_%s_bytes{job="node",instance="n",mountpoint="/"}'
VOLUME = 'kubelet_volume_stats_%s_bytes{persistentvolumeclaim="v"}'
PROXIES = 'kube_deployment_%s{namespace="envoy-gateway-system",deployment="d"}'
RENEWERS = PROXIES.replace("envoy-gateway-system", "cert-manager")
PAGE_ANSWERS = 'web_requests_total{app_kubernetes_io_name="web",route="%s",code="%s"}'
SIGN_INS = 'web_sign_ins_total{app_kubernetes_io_name="web",outcome="%s"}'
CERTIFICATE = 'certmanager_certificate_expiration_timestamp_seconds{name="site",namespace="g"}'

OF_FAQ = {"app_kubernetes_io_name": "faq"}
OF_CLUSTER = {"cluster": "c"}
"""What managed Prometheus puts on every series, and an alert has that does not aggregate."""
OF_DEPLOYMENT = {**OF_CLUSTER, "namespace": "scoring", "deployment": "faq"}
OF_CONTAINER = {"namespace": "scoring", "pod": "p", "container": "faq"}
OF_ITS_SERIES = {**OF_CLUSTER, **OF_CONTAINER}
OF_POD = {**OF_CLUSTER, "namespace": "scoring", "pod": "p", "phase": "Pending"}
OF_NODE = {**OF_CLUSTER, "job": "node", "instance": "n"}
OF_PAGE = {"app_kubernetes_io_name": "web"}
DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Behaviour:
    """What an alert does about some series.

    Attributes:
        alert: its name.
        story: what the series tell.
        series: values by series, one a minute.
        minute: when somebody looks.
        labels: of the alert that is on then; None where it must be silent.
    """

    alert: str
    story: str
    series: Mapping[str, str]
    minute: int
    labels: Mapping[str, str] | None = field(default=None)


def _answers(**by_code: int) -> dict[str, str]:
    """So many answers of each code a minute."""
    return {ANSWERS % code.removeprefix("_"): f"0+{count}x60" for code, count in by_code.items()}


def _page(**by_code: int) -> dict[str, str]:
    """The same of the client application."""
    return {
        PAGE_ANSWERS % ("/api/match", code.removeprefix("_")): f"0+{count}x60"
        for code, count in by_code.items()
    }


def _slow(route: str, *, in_a_second: int) -> dict[str, str]:
    """A hundred requests a minute; the others take between one second and two and a half."""
    counts = {"1": in_a_second, "2.5": 100, "+Inf": 100}
    return {LATENCY % (route, bound): f"0+{count}x60" for bound, count in counts.items()}


def _autoscaler(least: int, most: int) -> dict[str, str]:
    return {
        HPA % "status_current": f"{most}x60",
        HPA % "spec_min": f"{least}x60",
        HPA % "spec_max": f"{most}x60",
    }


SERVICES = (
    Behaviour(
        "ServiceErrors", "2 % fail", _answers(_200=98, _500=1, _504=1), 20, OF_FAQ
    ),
    Behaviour("ServiceErrors", "for five minutes", _answers(_200=98, _500=2), 5),
    Behaviour("ServiceErrors", "refusals are none", _answers(_200=90, _503=10, _429=5), 40),
    Behaviour("ServiceErrors", "0.5 % fail", _answers(_200=199, _500=1), 40),
    Behaviour("ServiceRefusals", "10 % are refused", _answers(_200=90, _503=10), 20, OF_FAQ),
    Behaviour(
        "ServiceRefusals",
        "probes are no requests",
        {**_answers(_200=97, _503=3), PROBES: "0+900x60"},
        40,
    ),
    Behaviour("ServiceSlow", "one in ten", _slow("/score", in_a_second=90), 20, {**OF_CLUSTER, **OF_FAQ}),
    Behaviour("ServiceSlow", "one in fifty", _slow("/score", in_a_second=98), 40),
    Behaviour("ServiceSlow", "only probes are", _slow("/readyz", in_a_second=0), 40),
    Behaviour(
        "ServiceQueueSaturated",
        "all wait for 0.5 to 1 s",
        {QUEUE % "0.5": "0x60", QUEUE % "1": "0+60x60", QUEUE % "+Inf": "0+60x60"},
        20,
        {**OF_CLUSTER, **OF_FAQ},
    ),
    Behaviour(
        "ServiceQueueSaturated",
        "nobody waits for 0.25 s",
        {QUEUE % "0.25": "0+60x60", QUEUE % "+Inf": "0+60x60"},
        40,
    ),
    Behaviour(
        "ServiceDropsWork", "again and again",
        {f"modelsvc_dropped_items_total{{{FAQ}}}": "0+1x60"}, 30, OF_FAQ,
    ),
    Behaviour(
        "ServiceDropsWork", "once", {f"modelsvc_dropped_items_total{{{FAQ}}}": "0x5 3x55"}, 30
    ),
    Behaviour(
        "ServiceModelRefused", "one of two pods refuses what it found",
        {REFUSED_MODELS % "p": "0x10 1x150", REFUSED_MODELS % "q": "0x160"}, 40, OF_FAQ,
    ),
    Behaviour(
        "ServiceModelRefused", "a new model is taken",
        {REFUSED_MODELS % "p": "0x160",
         REFUSED_MODELS.replace("refused", "taken") % "p": "0x10 1x150"}, 40,
    ),
    Behaviour(
        "ServiceModelRefused", "it was refused long ago",
        {REFUSED_MODELS % "p": "0x10 1x200"}, 150,
    ),
    Behaviour("ServicePodNotReady", "one is not", {UNAVAILABLE: "1x60"}, 55, OF_DEPLOYMENT),
    Behaviour("ServicePodNotReady", "it starts on a new node", {UNAVAILABLE: "1x38 0x22"}, 55),
    Behaviour("ServicePodNotReady", "all are ready", {UNAVAILABLE: "0x60"}, 55),
    Behaviour("ServiceDown", "no pod", {AVAILABLE: "0x60", WANTED: "2x60"}, 5, OF_DEPLOYMENT),
    Behaviour("ServiceDown", "none is wanted", {AVAILABLE: "0x60", WANTED: "0x60"}, 40),
    Behaviour("ServiceDown", "one of two", {AVAILABLE: "1x60", WANTED: "2x60"}, 40),
    Behaviour(
        "ServiceWithoutMetrics", "others have some",
        {AVAILABLE: "2x60", READY.replace("faq", "resnet"): "1x60"}, 30, OF_DEPLOYMENT,
    ),
    Behaviour("ServiceWithoutMetrics", "it has", {AVAILABLE: "2x60", READY: "1x60"}, 40),
    Behaviour("ServiceWithoutMetrics", "it is down", {AVAILABLE: "0x60"}, 40),
)  # fmt: skip

WORKLOADS = (
    Behaviour("PodRestarts", "three", {RESTARTS: "0x9 1 2 3x50"}, 20, OF_ITS_SERIES),
    Behaviour(
        "PodRestarts", "a proxy's three",
        {RESTARTS.replace("scoring", "envoy-gateway-system"): "0x9 1 2 3x50"}, 20,
        {**OF_ITS_SERIES, "namespace": "envoy-gateway-system"},
    ),
    Behaviour(
        "PodRestarts", "of somebody else", {RESTARTS.replace("scoring", "other"): "0x9 1 2 3x50"}, 20
    ),
    Behaviour("PodRestarts", "two", {RESTARTS: "5x60 6 7x50"}, 75),
    Behaviour(
        "PodOutOfMemory", "once",
        {RESTARTS: "0x9 1x50", KILLED % "OOMKilled": "_x9 1x50"}, 13, OF_ITS_SERIES,
    ),
    Behaviour(
        "PodOutOfMemory", "long ago", {RESTARTS: "0x9 1x50", KILLED % "OOMKilled": "_x9 1x50"}, 50
    ),
    Behaviour(
        "PodOutOfMemory", "another reason", {RESTARTS: "0x9 1x50", KILLED % "Error": "_x9 1x50"}, 13
    ),
    Behaviour(
        "PodCrashLoop", "between tries it runs", {WAITING % "CrashLoopBackOff": "1 _x2 1 _x2 1x50"},
        8, {**OF_ITS_SERIES, "reason": "CrashLoopBackOff"},
    ),
    Behaviour("PodCrashLoop", "it starts", {WAITING % "ContainerCreating": "1x60"}, 40),
    Behaviour(
        "PodImageOrConfiguration", "a Secret is missing",
        {WAITING % "CreateContainerConfigError": "1x60"}, 20, OF_CONTAINER,
    ),
    Behaviour(
        "PodImageOrConfiguration", "it tries, and waits, and tries",
        {WAITING % "ErrImagePull": "1 _x4 1 _x4 1 _x4 1 _x4 1 _x20",
         WAITING % "ImagePullBackOff": "_ 1x3 _ 1x3 _ 1x3 _ 1x3 _ 1x20"},
        20, OF_CONTAINER,
    ),
    Behaviour(
        "PodImageOrConfiguration", "for five minutes", {WAITING % "ErrImagePull": "1x5 _x50"}, 13
    ),
    Behaviour("PodImageOrConfiguration", "it starts", {WAITING % "ContainerCreating": "1x60"}, 40),
    Behaviour("PodMemoryNearLimit", "95 %", {USED: "95x60", LIMIT: "100x60"}, 20, OF_CONTAINER),
    Behaviour("PodMemoryNearLimit", "85 %", {USED: "85x60", LIMIT: "100x60"}, 40),
    Behaviour("PodPending", "for 20 minutes", {PENDING: "1x60"}, 20, OF_POD),
    Behaviour("PodPending", "for ten", {PENDING: "1x60"}, 10),
    Behaviour("PodPending", "for a GPU", {PENDING: "1x60", GPU: "1x60"}, 40),
    Behaviour("GpuPodPending", "for half an hour", {PENDING: "1x60", GPU: "1x60"}, 30, OF_POD),
    Behaviour("GpuPodPending", "its node starts", {PENDING: "1x60", GPU: "1x60"}, 20),
    Behaviour("GpuPodPending", "it needs none", {PENDING: "1x60"}, 40),
    Behaviour(
        "AutoscalerAtMaximum", "four of four", _autoscaler(1, 4), 20,
        {**OF_CLUSTER, "namespace": "scoring", "horizontalpodautoscaler": "faq"},
    ),
    Behaviour("AutoscalerAtMaximum", "it cannot scale at all", _autoscaler(2, 2), 40),
    Behaviour(
        "DisruptionBudgetExhausted", "for more than an hour", {BUDGET: "0x100"}, 70,
        {**OF_CLUSTER, "namespace": "scoring", "poddisruptionbudget": "faq"},
    ),
    Behaviour("DisruptionBudgetExhausted", "while pods roll", {BUDGET: "0x20 1x80"}, 70),
)  # fmt: skip

PAGE = (
    Behaviour("PageErrors", "2 % fail", _page(_200=98, _502=2), 20, OF_PAGE),
    Behaviour("PageErrors", "a full service is none", _page(_200=90, _503=10, _429=5), 40),
    Behaviour(
        "PageErrors", "probes are no requests",
        {**_page(_200=99, _404=1), PAGE_ANSWERS % ("/readyz", "500"): "0+900x60"}, 40,
    ),
    Behaviour(
        "NobodySignsIn", "the provider is away",
        {SIGN_INS % "provider failed": "0x9 1 2 3 4x60", SIGN_INS % "signed in": "0x70"}, 20, OF_PAGE,
    ),
    Behaviour(
        "NobodySignsIn", "others can",
        {SIGN_INS % "code refused": "0x9 1 2 3 4x60", SIGN_INS % "signed in": "0x12 1x60"}, 20,
    ),
    Behaviour(
        "NobodySignsIn", "they are not allowed",
        {SIGN_INS % "not allowed": "0x9 1 2 3 4x60", SIGN_INS % "signed in": "0x70"}, 20,
    ),
)  # fmt: skip

CLUSTER = (
    Behaviour(
        "GatewayDown", "no proxy", {PROXIES % "status_replicas_available": "0x60",
                                    PROXIES % "spec_replicas": "2x60"}, 5,
        {**OF_CLUSTER, "namespace": "envoy-gateway-system", "deployment": "d"},
    ),
    Behaviour(
        "GatewayDown", "one of two", {PROXIES % "status_replicas_available": "1x60",
                                      PROXIES % "spec_replicas": "2x60"}, 40,
    ),
    Behaviour(
        "CertManagerDown", "for more than an hour",
        {RENEWERS % "status_replicas_available": "0x80", RENEWERS % "spec_replicas": "1x80"}, 70,
        {**OF_CLUSTER, "namespace": "cert-manager", "deployment": "d"},
    ),
    Behaviour(
        "CertManagerDown", "it restarts",
        {RENEWERS % "status_replicas_available": "0x9 1x80", RENEWERS % "spec_replicas": "1x80"}, 70,
    ),
    Behaviour(
        "NodeNotReady", "for a quarter of an hour", {CONDITION % "Ready": "0x60"}, 15,
        {**OF_CLUSTER, "node": "n", "condition": "Ready", "status": "true"},
    ),
    Behaviour("NodeNotReady", "it restarts", {CONDITION % "Ready": "1x5 0x5 1x50"}, 13),
    Behaviour(
        "NodeUnderPressure", "its disk is full", {CONDITION % "DiskPressure": "1x60"}, 10,
        {**OF_CLUSTER, "node": "n", "condition": "DiskPressure", "status": "true"},
    ),
    Behaviour("NodeUnderPressure", "it is well", {CONDITION % "Ready": "1x60"}, 40),
    Behaviour(
        "NodeCpuHigh", "for 40 minutes", {CPU % "idle": "0+1x60", CPU % "user": "0+59x60"}, 40,
        OF_NODE,
    ),
    Behaviour("NodeCpuHigh", "half", {CPU % "idle": "0+30x60", CPU % "user": "0+30x60"}, 50),
    Behaviour(
        "NodeMemoryHigh", "95 %", {MEMORY % "MemAvailable": "5x60", MEMORY % "MemTotal": "100x60"},
        20, OF_NODE,
    ),
    Behaviour(
        "NodeMemoryHigh", "85 %", {MEMORY % "MemAvailable": "15x60", MEMORY % "MemTotal": "100x60"},
        40,
    ),
    Behaviour(
        "NodeDiskFull", "95 %", {DISK % "avail": "5x60", DISK % "size": "100x60"}, 20,
        {**OF_NODE, "mountpoint": "/"},
    ),
    Behaviour("NodeDiskFull", "85 %", {DISK % "avail": "15x60", DISK % "size": "100x60"}, 40),
    Behaviour(
        "VolumeNearlyFull", "95 %", {VOLUME % "available": "5x60", VOLUME % "capacity": "100x60"},
        20, {**OF_CLUSTER, "persistentvolumeclaim": "v"},
    ),
    Behaviour(
        "VolumeNearlyFull", "85 %", {VOLUME % "available": "15x60", VOLUME % "capacity": "100x60"},
        40,
    ),
    Behaviour(
        "CertificateExpires", "in 13 days", {CERTIFICATE: f"{13 * DAY_SECONDS}x100"}, 70,
        {"name": "site"},
    ),
    Behaviour("CertificateExpires", "in 15", {CERTIFICATE: f"{15 * DAY_SECONDS}x100"}, 70),
    Behaviour("MetricsMissing", "only others come", {"up": "1x60"}, 20, OF_CLUSTER),
    Behaviour("MetricsMissing", "they come", {CONDITION % "Ready": "1x60"}, 40),
)  # fmt: skip

BEHAVIOURS = (*SERVICES, *PAGE, *WORKLOADS, *CLUSTER)
