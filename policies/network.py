"""Rules on the network: who gets in, what gets out, and by which address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations

from pulumi_policy import EnforcementLevel, Severity

from policies.cluster import CLUSTER
from policies.reading import UNKNOWN, at, items, may_equal, shown, text
from policies.rule import AnyRule, Finding, Resource, ResourceRule, Stack, StackRule, wants
from policies.sources import aks, azure, checkov

NETWORK = "azure-native:network:VirtualNetwork"
SECURITY_GROUP = "azure-native:network:NetworkSecurityGroup"
ADDRESS = "azure-native:network:PublicIPAddress"
FIREWALL = "azure-native:network:ApplicationGateway"
FIREWALL_POLICY = "azure-native:network:WebApplicationFirewallPolicy"
ENDPOINT = "azure-native:network:PrivateEndpoint"
ENDPOINT_DNS = "azure-native:network:PrivateDnsZoneGroup"
STORAGE = "azure-native:storage:StorageAccount"
EVERYBODY = ("*", "Internet", "0.0.0.0/0", "::/0", "Any")
WEB_PORTS = ("80", "443")
CHALLENGES = "/.well-known/acme-challenge/"
MODERN_TLS = ("TLSv1_2", "TLSv1_3")
MODERN_POLICIES = ("AppGwSslPolicy20220101", "AppGwSslPolicy20220101S")


def _security_groups(network: Resource) -> Iterator[str]:
    for subnet in items(network.at("subnets")):
        if at(subnet, "networkSecurityGroup") is None:
            yield f"subnet {text(at(subnet, 'name'))} has no network security group"


def _default_outbound(network: Resource) -> Iterator[str]:
    for subnet in items(network.at("subnets")):
        outbound = at(subnet, "defaultOutboundAccess")
        if outbound not in (False, UNKNOWN):
            yield f"subnet {text(at(subnet, 'name'))}: defaultOutboundAccess is {shown(outbound)}"


def _web_only(group: Resource) -> Iterator[str]:
    for rule in items(group.at("securityRules")):
        if at(rule, "access") != "Allow" or at(rule, "direction") != "Inbound":
            continue
        sources = [at(rule, "sourceAddressPrefix"), *items(at(rule, "sourceAddressPrefixes"))]
        if not any(source in EVERYBODY for source in sources):
            continue
        ports = [at(rule, "destinationPortRange"), *items(at(rule, "destinationPortRanges"))]
        for port in ports:
            if port not in (*WEB_PORTS, None, UNKNOWN):
                yield f"rule {text(at(rule, 'name'))} opens port {port} to everybody"


def _standard_address(address: Resource) -> Iterator[str]:
    yield from wants("sku.name", "Standard", "StandardV2")(address)
    yield from wants("publicIPAllocationMethod", "Static")(address)


def _flood_protection(stack: Stack) -> Iterator[Finding]:
    by_plan = any(
        may_equal(network.at("enableDdosProtection"), True) for network in stack.of_type(NETWORK)
    )
    for address in stack.of_type(ADDRESS):
        mode = address.at("ddosSettings", "protectionMode")
        inherited = by_plan and mode in (None, "VirtualNetworkInherited")
        is_gateway = address.at("dnsSettings") is not None or "gateway" in address.name
        if is_gateway and not inherited and mode not in ("Enabled", UNKNOWN):
            yield Finding(address, f"ddosSettings.protectionMode is {shown(mode)}")


def _firewall_tls(firewall: Resource) -> Iterator[str]:
    policy = firewall.at("sslPolicy")
    if policy is UNKNOWN or at(policy, "minProtocolVersion") in (*MODERN_TLS, UNKNOWN):
        return
    if at(policy, "policyName") not in (*MODERN_POLICIES, UNKNOWN):
        yield "sslPolicy takes TLS older than 1.2, or is not set"


def _firewall_redirects(firewall: Resource) -> Iterator[str]:
    rules = items(firewall.at("requestRoutingRules"))
    if any(at(rule, "httpListener", "id") is UNKNOWN for rule in rules):
        return
    plain = {
        text(at(listener, "name"))
        for listener in items(firewall.at("httpListeners"))
        if at(listener, "protocol") == "Http"
    }
    for rule in rules:
        name = text(at(rule, "httpListener", "id")).rpartition("/")[2]
        if name in plain and not _only_redirects(firewall, rule):
            yield f"listener {name} answers plain HTTP without a redirect"


def _only_redirects(firewall: Resource, rule: object) -> bool:
    """Whether a rule redirects everything but the questions of certificate authorities."""
    if at(rule, "redirectConfiguration") is not None:
        return True
    wanted = text(at(rule, "urlPathMap", "id")).rpartition("/")[2]
    for paths in items(firewall.at("urlPathMaps")):
        if at(paths, "name") == wanted and at(paths, "defaultRedirectConfiguration") is not None:
            return all(
                text(path).startswith(CHALLENGES) or at(one, "redirectConfiguration") is not None
                for one in items(at(paths, "pathRules"))
                for path in items(at(one, "paths"))
            )
    return False


def _firewall_enabled(policy: Resource) -> Iterator[str]:
    yield from wants("policySettings.state", "Enabled")(policy)
    rule_sets = policy.at("managedRules", "managedRuleSets")
    if rule_sets is not UNKNOWN and not items(rule_sets):
        yield "managedRules holds no rule set"


def _disjoint(stack: Stack) -> Iterator[Finding]:
    for cluster in stack.of_type(CLUSTER):
        ranges: list[tuple[str, object]] = [
            ("the pods' range", cluster.at("networkProfile", "podCidr")),
            ("the services' range", cluster.at("networkProfile", "serviceCidr")),
        ]
        for network in stack.of_type(NETWORK):
            prefixes = items(network.at("addressSpace", "addressPrefixes"))
            ranges += [("the virtual network", prefix) for prefix in prefixes]
        known = [(name, parsed) for name, value in ranges if (parsed := _network(value))]
        for (one, first), (other, second) in combinations(known, 2):
            if first.overlaps(second):
                yield Finding(cluster, f"{one}, {first}, overlaps {other}, {second}")
        yield from _dns_inside(cluster)


def _dns_inside(cluster: Resource) -> Iterator[Finding]:
    services = _network(cluster.at("networkProfile", "serviceCidr"))
    address = _network(cluster.at("networkProfile", "dnsServiceIP"))
    if services and address and not address.subnet_of(services):
        yield Finding(cluster, f"dnsServiceIP {address} lies outside {services}")


def _network(value: object) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text(value))
    except ValueError:
        return None


def _endpoint_names(stack: Stack) -> Iterator[Finding]:
    named = {
        urn for group in stack.of_type(ENDPOINT_DNS)
        for urns in group.depends_on.values() for urn in urns
    }  # fmt: skip
    for endpoint in stack.of_type(ENDPOINT):
        if endpoint.urn not in named:
            yield Finding(endpoint, "no PrivateDnsZoneGroup refers to the private endpoint")


def _storage_transport(account: Resource) -> Iterator[str]:
    yield from wants("enableHttpsTrafficOnly", True)(account)
    yield from wants("minimumTlsVersion", "TLS1_2", "TLS1_3")(account)


RULES: tuple[AnyRule, ...] = (
    ResourceRule(
        name="subnet-network-security-group", types=(NETWORK,),
        description="Every subnet has a network security group",
        severity=Severity.MEDIUM,
        remediation="Give the subnet a network_security_group",
        sources=(checkov("CKV2_AZURE_31"),),
        check=_security_groups,
    ),
    ResourceRule(
        name="subnet-no-default-outbound", types=(NETWORK,),
        description="No subnet reaches the Internet by an address that nobody declared",
        severity=Severity.MEDIUM,
        remediation="Set default_outbound_access=False when the subnet is made",
        sources=(azure("default outbound access",
                       "virtual-network/ip-services/default-outbound-access"),),
        check=_default_outbound,
    ),
    ResourceRule(
        name="security-group-web-only", types=(SECURITY_GROUP,),
        description="The Internet reaches the ports 80 and 443 alone",
        severity=Severity.CRITICAL,
        remediation="Name the source, or the ports 80 and 443",
        sources=(checkov("CKV_AZURE_9"), checkov("CKV_AZURE_10")),
        check=_web_only,
    ),
    ResourceRule(
        name="public-address-standard", types=(ADDRESS,),
        description="Public addresses are static and of the Standard SKU",
        severity=Severity.MEDIUM,
        remediation='Set sku name "Standard" and public_ip_allocation_method "Static"',
        sources=(
            azure("basic SKU retirement",
                  "virtual-network/ip-services/public-ip-basic-upgrade-guidance"),
        ),
        check=_standard_address,
    ),
    StackRule(
        name="gateway-flood-protection",
        description="In production the gateway's address has DDoS protection",
        severity=Severity.MEDIUM,
        remediation="Set network.ddos.protection: ip or plan",
        sources=(azure("DDoS protection", "ddos-protection/ddos-protection-sku-comparison"),),
        check=_flood_protection, level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    ResourceRule(
        name="firewall-tls", types=(FIREWALL,),
        description="The firewall takes TLS 1.2 or newer",
        severity=Severity.HIGH,
        remediation=f"Set ssl_policy with policy_name {MODERN_POLICIES[0]}",
        sources=(checkov("CKV_AZURE_218"),),
        check=_firewall_tls,
    ),
    ResourceRule(
        name="firewall-redirects-http", types=(FIREWALL,),
        description="The firewall answers plain HTTP with a redirect",
        severity=Severity.HIGH,
        remediation="Give the plain listener's rule a redirect_configuration",
        sources=(checkov("CKV_AZURE_217"),),
        check=_firewall_redirects,
    ),
    ResourceRule(
        name="firewall-policy-enabled", types=(FIREWALL_POLICY,),
        description="The firewall's policy is on, with managed rules",
        severity=Severity.HIGH,
        remediation="Set policy_settings state Enabled, and a managed rule set",
        sources=(checkov("CKV_AZURE_120"),),
        check=_firewall_enabled,
    ),
    ResourceRule(
        name="firewall-prevents", types=(FIREWALL_POLICY,),
        description="In production the firewall refuses what its rules find",
        severity=Severity.MEDIUM,
        remediation="Set gateway.web_application_firewall: prevention once the log is clean",
        sources=(checkov("CKV_AZURE_122"),),
        check=wants("policySettings.mode", "Prevention"),
        level=EnforcementLevel.ADVISORY, production_only=True,
    ),
    StackRule(
        name="address-ranges-disjoint",
        description="Nodes, pods and services have no address in common",
        severity=Severity.CRITICAL,
        remediation="Choose ranges apart; they cannot be changed later",
        sources=(aks("azure-cni-overlay"),),
        check=_disjoint,
    ),
    StackRule(
        name="private-endpoint-named",
        description="The name of what lies behind a private endpoint resolves to it",
        severity=Severity.HIGH,
        remediation="Declare a PrivateDnsZoneGroup for the endpoint",
        sources=(azure("private endpoint DNS", "private-link/private-endpoint-dns"),),
        check=_endpoint_names,
    ),
    ResourceRule(
        name="storage-encrypted-transport", types=(STORAGE,),
        description="Storage is reached by TLS 1.2 or newer alone",
        severity=Severity.HIGH,
        remediation='Set enable_https_traffic_only=True and minimum_tls_version="TLS1_2"',
        sources=(checkov("CKV_AZURE_3"), checkov("CKV_AZURE_44")),
        check=_storage_transport,
    ),
    ResourceRule(
        name="storage-no-public-blobs", types=(STORAGE,),
        description="No blob can be made public",
        severity=Severity.HIGH,
        remediation="Set allow_blob_public_access=False",
        sources=(checkov("CKV_AZURE_59"), checkov("CKV_AZURE_190")),
        check=wants("allowBlobPublicAccess", False),
    ),
)  # fmt: skip
