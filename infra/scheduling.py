"""What node pools and pods must agree on: labels, taints and resources.

Both sides take them from here, so that a selector always finds its pool and a toleration always
matches its taint.
"""

from __future__ import annotations

from typing import Literal

PoolKind = Literal["cpu", "gpu"]

POOL_LABEL = "realtime-scoring.io/pool"
"""Label of every node of the CPU and GPU pools; its value is the kind of pool."""

GPU_RESOURCE = "nvidia.com/gpu"
GPU_TAINT_KEY = "nvidia.com/gpu"
GPU_TAINT_VALUE = "present"
GPU_TAINT = f"{GPU_TAINT_KEY}={GPU_TAINT_VALUE}:NoSchedule"
"""Keeps pods without a GPU off the nodes that cost most."""

SPOT_TAINT_KEY = "kubernetes.azure.com/scalesetpriority"
SPOT_TAINT_VALUE = "spot"
SPOT_TAINT = f"{SPOT_TAINT_KEY}={SPOT_TAINT_VALUE}:NoSchedule"
"""AKS puts this on every spot node by itself; declared too, so that no plan shows a difference."""

CRITICAL_TAINT = "CriticalAddonsOnly=true:NoSchedule"
"""Keeps the services off the system pool."""

PROXY_MILLICORES = 250
PROXY_MEBIBYTES = 512
"""Of a gateway's pod. Envoy sheds load when its heap nears this; bodies are held here until they
are whole."""

ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABEL = "kubernetes.io/hostname"
