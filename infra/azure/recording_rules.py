"""Series that alerts and dashboards read instead of working them out each time.

Names of the node's and Kubernetes' series are those of the kubernetes-mixin and node-mixin
(github.com/kubernetes-monitoring/kubernetes-mixin), because the dashboards that come with managed
Grafana read them; jobs are called as managed Prometheus calls them.

Each keeps the label `cluster`, which managed Prometheus puts on all it collects: a group of alerts
that is limited to one cluster sees only series that have it
(learn.microsoft.com/azure/azure-monitor/metrics/prometheus-rule-groups).
"""

from __future__ import annotations

from infra.azure.prometheus_rules import API_ROUTES, SERVICE_LABEL, RecordingRule

REQUESTS = "service_code:modelsvc_requests:rate5m"
LATENCY = "service:modelsvc_request_duration_seconds:p95_5m"
QUEUE_WAIT = "service:modelsvc_queue_seconds:p95_5m"
NODE_CPU = "instance:node_cpu_utilisation:rate5m"
NODE_MEMORY = "instance:node_memory_utilisation:ratio"

SERVICE_RECORDINGS = (
    RecordingRule(
        REQUESTS,
        f"sum by (cluster, {SERVICE_LABEL}, code) "
        f"(rate(modelsvc_requests_total{{{API_ROUTES}}}[5m]))",
    ),
    RecordingRule(
        LATENCY,
        f"histogram_quantile(0.95, sum by (cluster, {SERVICE_LABEL}, le) "
        f"(rate(modelsvc_request_duration_seconds_bucket{{{API_ROUTES}}}[5m])))",
    ),
    RecordingRule(
        QUEUE_WAIT,
        f"histogram_quantile(0.95, sum by (cluster, {SERVICE_LABEL}, le) "
        "(rate(modelsvc_queue_seconds_bucket[5m])))",
    ),
)

NODE_RECORDINGS = (
    RecordingRule(
        "instance:node_num_cpu:sum",
        'count without (cpu, mode) (node_cpu_seconds_total{job="node",mode="idle"})',
    ),
    RecordingRule(
        NODE_CPU,
        "1 - avg without (cpu) (sum without (mode) "
        '(rate(node_cpu_seconds_total{job="node",mode=~"idle|iowait|steal"}[5m])))',
    ),
    RecordingRule(
        "instance:node_load1_per_cpu:ratio",
        'node_load1{job="node"} / instance:node_num_cpu:sum{job="node"}',
    ),
    RecordingRule(
        NODE_MEMORY,
        '1 - (node_memory_MemAvailable_bytes{job="node"} / node_memory_MemTotal_bytes{job="node"})',
    ),
)

KUBERNETES_RECORDINGS = (
    RecordingRule(
        "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_irate",
        "sum by (cluster, namespace, pod, container) "
        '(irate(container_cpu_usage_seconds_total{job="cadvisor",image!=""}[5m])) '
        "* on (cluster, namespace, pod) group_left (node) topk by (cluster, namespace, pod) "
        '(1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))',
    ),
    RecordingRule(
        "node_namespace_pod_container:container_memory_working_set_bytes",
        'container_memory_working_set_bytes{job="cadvisor",image!=""} '
        "* on (cluster, namespace, pod) group_left (node) topk by (cluster, namespace, pod) "
        '(1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))',
    ),
    RecordingRule(
        "namespace_cpu:kube_pod_container_resource_requests:sum",
        "sum by (cluster, namespace) (sum by (cluster, namespace, pod) "
        "(max by (cluster, namespace, pod, container) "
        '(kube_pod_container_resource_requests{resource="cpu",job="kube-state-metrics"}) '
        "* on (cluster, namespace, pod) group_left () max by (cluster, namespace, pod) "
        '(kube_pod_status_phase{phase=~"Pending|Running"} == 1)))',
    ),
    RecordingRule(
        "namespace_memory:kube_pod_container_resource_requests:sum",
        "sum by (cluster, namespace) (sum by (cluster, namespace, pod) "
        "(max by (cluster, namespace, pod, container) "
        '(kube_pod_container_resource_requests{resource="memory",job="kube-state-metrics"}) '
        "* on (cluster, namespace, pod) group_left () max by (cluster, namespace, pod) "
        '(kube_pod_status_phase{phase=~"Pending|Running"} == 1)))',
    ),
    RecordingRule(
        "namespace_workload_pod:kube_pod_owner:relabel",
        "max by (cluster, namespace, workload, pod) (label_replace(label_replace("
        'kube_pod_owner{job="kube-state-metrics",owner_kind="ReplicaSet"}, '
        '"replicaset", "$1", "owner_name", "(.*)") '
        "* on (cluster, replicaset, namespace) group_left (owner_name) "
        "topk by (cluster, replicaset, namespace) (1, max by (cluster, replicaset, namespace, "
        'owner_name) (kube_replicaset_owner{job="kube-state-metrics"})), '
        '"workload", "$1", "owner_name", "(.*)"))',
    ),
)
