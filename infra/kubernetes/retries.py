"""What the gateway asks another pod for when one was lost.

A pod that crashes is an endpoint for a second or two after. What never reached it is asked of
another one. What it had begun is asked again only if the request just reads (RFC 9110, 9.2.2: GET
is idempotent): a picture on which a pod dies must not be handed to the next.
Every trigger: envoyproxy.io/docs, router filter, x-envoy-retry-on.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.kubernetes.custom_objects import GATEWAY_GROUP

READS = "reads"
"""Name of the rule of each route that takes what only reads."""
READING_METHOD = "GET"
"""One alone: with its prefix rewritten, a rule may have one match (the Gateway API's own rule)."""
NEVER_BEGUN = ("connect-failure", "refused-stream", "reset-before-request")
CUT = "reset"
RETRIES = 5
"""More than the two that are usual: the pod that refuses has the fewest requests under way, so that
the proxy, which counts them, takes it again and again. With two, tests/gateway lost reads.
"""


def retry(triggers: Sequence[str]) -> dict[str, object]:
    """Part of a policy: try again at another pod; an answer, 503 too, is never asked for twice."""
    return {"numRetries": RETRIES, "retryOn": {"triggers": list(triggers)}}


def policy_of_reads(routes: Sequence[str]) -> dict[str, object]:
    """The policy of all routes' reading rules, on top of the Gateway's own."""
    return {
        "targetRefs": [
            {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": route, "sectionName": READS}
            for route in routes
        ],
        "mergeType": "StrategicMerge",
        **retry_reads(),
    }


def retry_reads() -> dict[str, object]:
    """Part of a reading rule's policy: what was begun is tried again, too."""
    return {"retry": retry([*NEVER_BEGUN, CUT])}
