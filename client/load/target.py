"""What the load test is allowed to load, and the bytes of its requests."""

from __future__ import annotations

from collections.abc import Sequence

from client.address import Address
from client.load.workload import Workload


class LoadRefused(Exception):
    """The load test cannot or must not be run; the message is one line."""


def require_permission(address: Address, permitted_host: str | None) -> None:
    """Let a load test go to this machine only, or to the one host that was named on purpose.

    Raises:
        LoadRefused: the address is another host.
    """
    if not address.is_loopback and address.host != (permitted_host or "").lower():
        raise LoadRefused(
            f"{address.host} is not this machine; a load test can take a service down. "
            f"If you may do that, say so with --permit-host {address.host}"
        )


def request_bytes(
    address: Address,
    workload: Workload,
    *,
    api_key: str | None = None,
    tell_deadline_ms: int | None = None,
) -> Sequence[bytes]:
    """Every request of a workload as it goes over the wire (HTTP/1.1, RFC 9112).

    They are made once, so that the generator spends its time on sending.
    """
    lines = [
        f"POST {address.prefix}{workload.path} HTTP/1.1",
        f"Host: {address.authority}",
        f"Content-Type: {workload.content_type}",
        "Accept: application/json",
        "User-Agent: realtime-scoring-load",
    ]
    if api_key is not None:
        lines.append(f"X-API-Key: {api_key}")
    if tell_deadline_ms is not None:
        lines.append(f"X-Request-Timeout-Ms: {tell_deadline_ms}")
    head = "\r\n".join(lines).encode("ascii")
    return [
        b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body) for body in workload.bodies
    ]
