"""The gateway's name, looked up at a local name server with the real protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from infra.doctor.checks.dns import look_at_dns
from infra.doctor.findings import Finding, Verdict
from infra.settings import Settings
from tests.infra.doctor.resource_manager import ResourceManager, World
from tests.infra.plans import settings_of

HOST = "scoring.ml.example-corp.net"
ZONE = "ml.example-corp.net"
AZURE_SERVERS = ["ns1-01.azure-dns.com.", "ns2-01.azure-dns.net."]
Records = dict[tuple[str, str], list[str]]


@pytest.fixture
def records() -> Records:
    """What the server knows, by name and kind."""
    return {("example-corp.net.", "SOA"): ["ns.example. host.example. 1 2 3 4 5"]}


@pytest.fixture
def resolver(records: Records) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks the local server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    wire, peer = server.recvfrom(4096)
                except TimeoutError:
                    continue
                server.sendto(_answer(dns.message.from_wire(wire), records).to_wire(), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.getsockname()[1]
        yield resolver
        over.set()
        thread.join()


def _answer(query: dns.message.Message, records: Records) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    question = query.question[0]
    name, kind = str(question.name), dns.rdatatype.to_text(question.rdtype)
    if (name, kind) in records:
        response.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *records[name, kind]))
    elif not any(known.endswith(name) for known, _ in records):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


def settings(**gateway: Any) -> Settings:
    dev = settings_of("dev")
    return dev.model_copy(
        update={"gateway": dev.gateway.model_copy(update={"host_name": HOST, **gateway})}
    )


def in_azure(zone: str = ZONE) -> Settings:
    return settings(
        dns_zone_id=f"/subscriptions/{settings_of('dev').subscription_id}/resourceGroups/rg-dns"
        f"/providers/Microsoft.Network/dnsZones/{zone}"
    )


def look(
    settings: Settings, manager: ResourceManager, resolver: dns.resolver.Resolver
) -> list[Finding]:
    return list(look_at_dns(settings, manager.azure(), resolver))


def test_a_name_with_an_address_will_do(
    manager: ResourceManager, resolver: dns.resolver.Resolver, records: Records
) -> None:
    records[f"{HOST}.", "A"] = ["192.0.2.7"]
    (found,) = look(settings(), manager, resolver)
    assert (found.verdict, found.message) == (Verdict.OK, "leads to 192.0.2.7")


def test_a_name_without_an_address_in_a_known_domain_is_a_warning(
    manager: ResourceManager, resolver: dns.resolver.Resolver
) -> None:
    (found,) = look(settings(), manager, resolver)
    assert found.verdict is Verdict.WARNING
    assert "its domain example-corp.net is there" in found.message


def test_a_domain_of_nobody_fails(
    manager: ResourceManager, resolver: dns.resolver.Resolver, records: Records
) -> None:
    records.clear()
    (found,) = look(settings(), manager, resolver)
    assert (found.verdict, found.message) == (Verdict.FAILED, "nobody has its domain")


@pytest.mark.parametrize("delegated", [True, False])
def test_a_zone_in_azure_must_be_delegated(
    manager: ResourceManager,
    world: World,
    resolver: dns.resolver.Resolver,
    records: Records,
    delegated: bool,
) -> None:
    world.name_servers = AZURE_SERVERS
    records[f"{ZONE}.", "NS"] = AZURE_SERVERS if delegated else ["ns.elsewhere.example."]
    zone, host = look(in_azure(), manager, resolver)
    assert host.message == "has no address yet; the stack makes the record"
    assert zone.verdict is (Verdict.OK if delegated else Verdict.FAILED)
    if not delegated:
        assert zone.remedy is not None
        assert "ns1-01.azure-dns.com, ns2-01.azure-dns.net" in zone.remedy


def test_a_zone_that_is_not_there_or_not_the_hosts_fails(
    manager: ResourceManager, resolver: dns.resolver.Resolver
) -> None:
    zone = look(in_azure(), manager, resolver)[0]
    assert zone.verdict is Verdict.FAILED
    assert zone.remedy is not None
    assert zone.remedy.startswith("az network dns zone create")
    other = look(in_azure("other.example-corp.net"), manager, resolver)[0]
    assert other.message == f"{HOST} is not in it"


def test_a_name_of_the_documentation_fails_without_a_question(manager: ResourceManager) -> None:
    (found,) = look_at_dns(
        settings_of("prod"), manager.azure(), dns.resolver.Resolver(configure=False)
    )
    assert found.verdict is Verdict.FAILED
    assert manager.world.asked == []


def test_no_name_server_is_told(manager: ResourceManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.doctor.checks.dns.SECONDS", 0.5)
    silent = dns.resolver.Resolver(configure=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        silent.nameservers, silent.port = ["127.0.0.1"], closed.getsockname()[1]
    silent.timeout = 0.2
    (found,) = look(settings(), manager, silent)
    assert found.verdict is Verdict.UNKNOWN
