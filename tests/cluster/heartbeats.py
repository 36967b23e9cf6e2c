"""Signs of life of the nodes, which nothing else here gives.

kwok reports a node every ten minutes; after fifty seconds without a sign Kubernetes takes it for
lost, and every pod on it for not ready, which kwok never takes back. On a busy machine, where a
stack's tests take longer than that, all pods were lost in the middle of a drain.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from tests.cluster.api import Api, Object, Refused

BEAT_SECONDS = 8
"""Leases last forty (the kubelet's nodeLeaseDurationSeconds)."""


@contextmanager
def heartbeats(api: Api) -> Iterator[None]:
    """Renew the lease of every node, as its kubelet would, until the end of the block."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            with suppress(httpx.HTTPError, Refused):
                for node in api.list("/api/v1/nodes"):
                    api.apply(_lease(node["metadata"]["name"]))

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _lease(node: str) -> Object:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": node, "namespace": "kube-node-lease"},
        "spec": {
            "holderIdentity": node,
            "leaseDurationSeconds": 40,
            "renewTime": now.replace("+00:00", "Z"),
        },
    }
