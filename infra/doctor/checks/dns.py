"""Whether the gateway's name can be found: its zone in Azure, its delegation, its record."""

from __future__ import annotations

from collections.abc import Iterator

import dns.exception
import dns.name
import dns.resolver

from infra.doctor.azure import Azure
from infra.doctor.findings import Finding, failed, ok, unknown, warning
from infra.settings import Settings

SECONDS = 10.0
RESERVED = ("example", "example.com", "example.net", "example.org", "invalid", "test", "localhost")
"""Names that nobody can own (RFC 2606, RFC 6761)."""


def look_at_dns(
    settings: Settings, azure: Azure, resolver: dns.resolver.Resolver | None = None
) -> Iterator[Finding]:
    """The host name's zone, delegation and address."""
    host = settings.gateway.host_name
    if any(host == name or host.endswith(f".{name}") for name in RESERVED):
        yield failed(
            host,
            "is a name of the documentation's, which nobody can own",
            "pulumi config set --path gateway.host_name …",
        )
        return
    try:
        asked = resolver or dns.resolver.Resolver()
        if settings.gateway.dns_zone_id is not None:
            yield from _zone(settings.gateway.dns_zone_id, host, azure, asked)
        yield _address(settings, host, asked)
    except (
        dns.exception.Timeout,
        dns.resolver.NoNameservers,
        dns.resolver.NoResolverConfiguration,
    ):
        yield unknown(host, "no name server answers from here", f"dig {host}")


def _zone(
    zone_id: str, host: str, azure: Azure, resolver: dns.resolver.Resolver
) -> Iterator[Finding]:
    # /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Network/dnsZones/ZONE
    parts = zone_id.split("/")
    subscription, group, zone = parts[2], parts[4], parts[-1].lower()
    subject = f"zone {zone}"
    create = f"az network dns zone create --subscription {subscription} -g {group} -n {zone}"
    if host != zone and not host.endswith(f".{zone}"):
        yield failed(
            subject, f"{host} is not in it", "pulumi config set --path gateway.host_name …"
        )
        return
    servers = azure.of(subscription).name_servers(group, zone)
    if servers is None:
        yield failed(subject, f"is not in resource group {group}", create)
        return
    wanted = {server.lower().rstrip(".") for server in servers}
    known = {str(record).lower().rstrip(".") for record in _records(zone, "NS", resolver)}
    if wanted & known:
        yield ok(subject, "is there, and delegated to Azure")
    else:
        yield failed(
            subject,
            f"is in Azure, but the domain is not delegated to it (NS: {_list(known)})",
            f"at the registrar or in the parent zone, set the NS records: {_list(wanted)}",
        )


def _address(settings: Settings, host: str, resolver: dns.resolver.Resolver) -> Finding:
    addresses = {str(record) for record in _records(host, "A", resolver)}
    if addresses:
        return ok(host, f"leads to {_list(addresses)}")
    if settings.gateway.dns_zone_id is not None:
        return ok(host, "has no address yet; the stack makes the record")
    domain = _domain(host, resolver)
    if domain is None:
        return failed(host, "nobody has its domain", "register the domain, or another host_name")
    return warning(
        host,
        f"has no address yet; its domain {domain} is there"
        + ("; Let's Encrypt needs the address" if "acme" in settings.gateway.tls.issuer else ""),
        "after `pulumi up`, an A record: pulumi stack output gateway_address",
    )


def _domain(host: str, resolver: dns.resolver.Resolver) -> str | None:
    """The nearest name above the host that is a zone of its own, below the top."""
    name = dns.name.from_text(host)
    while len(name) > 2:
        if _records(str(name), "SOA", resolver):
            return str(name).rstrip(".")
        name = name.parent()
    return None


def _records(name: str, kind: str, resolver: dns.resolver.Resolver) -> list[object]:
    try:
        answer = resolver.resolve(name, kind, lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return list(answer)


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
