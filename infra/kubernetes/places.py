"""Names of namespaces, ports and labels that several components must agree on."""

from __future__ import annotations

SERVICES_NAMESPACE = "scoring"
"""The two services and the client application; Pod Security `restricted`."""
GATEWAY_NAMESPACE = "envoy-gateway-system"
"""Envoy Gateway's controller and the Envoy proxies it makes."""
CERTIFICATES_NAMESPACE = "cert-manager"
GPU_NAMESPACE = "gpu-resources"
"""The GPU device plugin, which needs the nodes' devices: Pod Security `privileged`."""

GATEWAY_NAME = "scoring"
"""Name of the Gateway object, in the services' namespace."""
GATEWAY_OWNER_LABEL = "gateway.envoyproxy.io/owning-gateway-name"
"""Envoy Gateway puts it on its proxies' pods, with the Gateway's name."""

API_PORT = 8080
METRICS_PORT = 9090
API_PORT_NAME = "http"
METRICS_PORT_NAME = "metrics"

NAME_LABEL = "app.kubernetes.io/name"
"""Which workload a pod belongs to: faq, resnet or web."""
INSTANCE_LABEL = "app.kubernetes.io/instance"
PART_OF_LABEL = "app.kubernetes.io/part-of"
PART_OF = "realtime-scoring"
