"""What the gateway writes to its log: requests that no service answered well.

A service logs those that it served; Envoy Gateway's own default would say each of them a second
time, with the query, in which a person's sign-in has its code.
Operators: envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
"""

from __future__ import annotations

NOT_SERVED = "!has(response.code) || response.code >= 400"
"""In CEL; there is no code where the client went away before its answer.

Source: envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""
FIELDS = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "why": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "pod": "%UPSTREAM_HOST%",
    "milliseconds": "%DURATION%",
    "bytes_in": "%BYTES_RECEIVED%",
}


def access_log() -> dict[str, object]:
    """The EnvoyProxy's ``telemetry.accessLog``."""
    return {
        "settings": [
            {
                # Not of connections that never became a request, of which the internet makes many.
                "type": "Route",
                "format": {"type": "JSON", "json": FIELDS},
                "matches": [NOT_SERVED],
                "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
            }
        ]
    }
