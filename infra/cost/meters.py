"""Which meters of Azure's bill a stack's resources run, and how far in a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infra.cost.lines import EVERYWHERE, Line, Meter, Traffic, Unpriced, Used
from infra.cost.price import DAYS_A_MONTH, HOURS_A_MONTH
from infra.planning.inputs import number_at, objects_at, text_at
from infra.planning.monitor import Recorded
from infra.planning.node_pools import node_pools
from infra.planning.resource_types import PACKAGE, is_azure
from infra.recording import Recording
from infra.settings import Settings
from infra.vm_sizes import VM_SIZES

FREE = frozenset(
    {
        "authorization:ManagementLockByScope",
        "authorization:PolicyAssignment",
        "authorization:RoleAssignment",
        "authorization:RoleDefinition",
        "consumption:Budget",
        "containerservice:DeploymentSafeguard",
        "containerservice:MaintenanceConfiguration",
        "managedidentity:FederatedIdentityCredential",
        "managedidentity:UserAssignedIdentity",
        "monitor:ActivityLogAlert",
        "monitor:DataCollectionEndpoint",
        "monitor:DataCollectionRule",
        "monitor:DataCollectionRuleAssociation",
        "network:NetworkSecurityGroup",
        "network:PrivateDnsZoneGroup",
        "network:VirtualNetwork",
        "network:WebApplicationFirewallPolicy",
        "privatedns:VirtualNetworkLink",
        "resources:Deployment",
        "resources:ResourceGroup",
        "storage:BlobServiceProperties",
        "storage:ManagementPolicy",
    }
)
"""Types that cost nothing themselves (azure.microsoft.com/pricing)."""

BY_USE: Mapping[str, str] = {
    "alertsmanagement:PrometheusRuleGroup": "by samples that the rules read and write",
    "dns:RecordSet": "by queries; the zone is its owner's",
    "keyvault:Secret": "by operations of its vault",
    "keyvault:Vault": "by operations, 10,000 at a time",
    "monitor:ActionGroup": "by mails beyond the free ones",
    "monitor:AzureMonitorWorkspace": "by samples of managed Prometheus",
    "monitor:DiagnosticSetting": "by the logs it sends, which are Log Analytics'",
    "monitor:MetricAlert": "by time series that it watches",
    "monitor:ScheduledQueryRule": "by how often it runs and what it reads",
    "network:FlowLog": "by gigabytes of flow logs",
    "network:VirtualNetworkPeering": "by gigabytes to and from the other network",
    "storage:StorageAccount": "by gigabytes kept and by operations",
}
"""Types whose cost depends on use alone."""


def lines_of(settings: Settings, recording: Recording, traffic: Traffic) -> Iterator[Line]:
    """A line for every meter, and for every resource whose cost cannot be known."""
    region = settings.location
    for pool in node_pools(recording):
        meter = _spot(pool.vm_size) if pool.spot else pay_as_you_go(pool.vm_size)
        yield _hourly(f"nodes {pool.name}", meter, region, pool.fewest, pool.most)
    for resource in recording.resources:
        if is_azure(resource):
            yield from _lines(resource, settings, recording, traffic)
    if recording.of_type(":ManagedCluster"):
        yield from _load_balancer(region, traffic)
        yield Unpriced("bandwidth", "by gigabytes that leave Azure, or go between zones")


def free_of_charge(recording: Recording) -> tuple[str, ...]:
    """Names of the Azure resources that cost nothing."""
    return tuple(
        resource.name
        for resource in recording.resources
        if is_azure(resource) and _type(resource) in FREE
    )


def pay_as_you_go(vm_size: str) -> Meter:
    """A Linux VM by the hour."""
    return Meter(
        "Virtual Machines",
        r"(?!.*(Spot|Low Priority)).*",
        r"^(?!.*(Windows|Cloud ?Services))",
        vm_size,
    )


def _spot(vm_size: str) -> Meter:
    return Meter("Virtual Machines", r".*Spot", r"^(?!.*(Windows|Cloud ?Services))", vm_size)


def _type(resource: Recorded) -> str:
    return resource.type.removeprefix(PACKAGE)


def _lines(
    resource: Recorded, settings: Settings, recording: Recording, traffic: Traffic
) -> Iterator[Line]:
    type_ = _type(resource)
    if type_ in FREE or type_ == "containerservice:AgentPool":
        return
    if type_ in BY_USE:
        yield Unpriced(resource.name, BY_USE[type_])
    elif type_ == "operationalinsights:Workspace":
        yield from _logs(resource, settings, traffic)
    elif type_ == "network:NatGateway":
        yield from _nat(resource, settings.location, traffic)
    elif type_ == "resources:DeploymentAtSubscriptionScope":
        yield from _subscription_plans(resource, settings.location, recording)
    elif type_ in _FIXED:
        yield from _FIXED[type_](resource, settings.location)
    else:
        yield Unpriced(resource.name, f"nothing is known here of what {type_} costs")


def _hourly(
    resource: str, meter: Meter, region: str, fewest: float, most: float | None = None
) -> Used:
    hours = HOURS_A_MONTH
    most = fewest if most is None else most
    return Used(resource, meter, region, "hour", fewest * hours, most * hours)


def _cluster(resource: Recorded, region: str) -> Iterator[Line]:
    tier = text_at(resource, "sku", "tier")
    service = "Azure Kubernetes Service"
    if tier == "Standard":
        yield _hourly(resource.name, Meter(service, r"Standard Uptime SLA"), region, 1)
    elif tier == "Premium":
        yield _hourly(resource.name, Meter(service, r"Standard Long Term Support"), region, 1)


def _registry(resource: Recorded, region: str) -> Iterator[Line]:
    sku = text_at(resource, "sku", "name") or "Premium"
    meter = Meter("Container Registry", rf"{sku} Registry Unit")
    place = text_at(resource, "location") or region
    yield Used(resource.name, meter, place, "day", DAYS_A_MONTH, DAYS_A_MONTH)


def _public_address(resource: Recorded, region: str) -> Iterator[Line]:
    meter = Meter("Virtual Network", r"Standard IPv4 Static Public IP", r"IP Addresses")
    yield _hourly(resource.name, meter, region, 1)
    if text_at(resource, "ddosSettings", "protectionMode") == "Enabled":
        yield Unpriced(resource.name, "DDoS IP Protection, whose meter has no one name")


def _ddos_plan(resource: Recorded, region: str) -> Iterator[Line]:
    del region
    meter = Meter("Azure DDOS Protection", r"(Standard|Network Protection) Plan")
    yield Used(resource.name, meter, EVERYWHERE, "month", 1, 1)


def _private_endpoint(resource: Recorded, region: str) -> Iterator[Line]:
    meter = Meter("Virtual Network", r"Standard Private Endpoint", r"Private Link")
    yield _hourly(resource.name, meter, region, 1)


def _private_zone(resource: Recorded, region: str) -> Iterator[Line]:
    yield Used(resource.name, Meter("Azure DNS", r"Private Zone"), region, "month", 1, 1)


def _grafana(resource: Recorded, region: str) -> Iterator[Line]:
    # A Standard workspace runs two nodes (azure.microsoft.com/pricing/details/managed-grafana).
    yield _hourly(resource.name, Meter("Azure Grafana Service", r"Standard Node"), region, 2)
    yield Unpriced(resource.name, "active users, and zone redundancy where it is on")


def _firewall(resource: Recorded, region: str) -> Iterator[Line]:
    product = r"WAF v2"
    fixed = Meter("Application Gateway", r"Standard Fixed Cost", product)
    units = Meter("Application Gateway", r"Standard Capacity Units", product)
    yield _hourly(resource.name, fixed, region, 1)
    # Each instance is billed as at least ten capacity units
    # (learn.microsoft.com/azure/application-gateway/understanding-pricing).
    fewest = 10 * number_at(resource, "autoscaleConfiguration", "minCapacity")
    most = 10 * number_at(resource, "autoscaleConfiguration", "maxCapacity")
    yield _hourly(resource.name, units, region, fewest, most)


_FIXED: Mapping[str, Callable[[Recorded, str], Iterator[Line]]] = {
    "containerregistry:Registry": _registry,
    "containerregistry:Replication": _registry,
    "containerservice:ManagedCluster": _cluster,
    "dashboard:Grafana": _grafana,
    "network:ApplicationGateway": _firewall,
    "network:DdosProtectionPlan": _ddos_plan,
    "network:PrivateEndpoint": _private_endpoint,
    "network:PublicIPAddress": _public_address,
    "privatedns:PrivateZone": _private_zone,
}


def _load_balancer(region: str, traffic: Traffic) -> Iterator[Line]:
    """The gateway's, which AKS makes."""
    rules = Meter("Load Balancer", r"Standard Included LB Rules and Outbound Rules")
    yield _hourly("load balancer", rules, region, 1)
    yield _data(
        "load balancer", Meter("Load Balancer", r"Standard Data Processed"), region, traffic
    )


def _nat(resource: Recorded, region: str, traffic: Traffic) -> Iterator[Line]:
    yield _hourly(resource.name, Meter("NAT Gateway", r"Standard Gateway"), region, 1)
    yield _data(resource.name, Meter("NAT Gateway", r"Standard Data Processed"), region, traffic)


def _data(resource: str, meter: Meter, region: str, traffic: Traffic) -> Line:
    if traffic.gb_a_month is None:
        return Unpriced(resource, "by gigabytes: give --traffic-gb")
    return Used(resource, meter, region, "gigabyte", traffic.gb_a_month, traffic.gb_a_month)


def _logs(resource: Recorded, settings: Settings, traffic: Traffic) -> Iterator[Line]:
    """Ingestion at the price of analytics logs, which is the dearest of the plans."""
    meter = Meter("Log Analytics", r"Analytics Logs Data Ingestion")
    cap = settings.monitoring.logs.daily_cap_gb
    given = traffic.log_gb_a_day
    if given is None and cap is None:
        yield Unpriced(resource.name, "by gigabytes, without a cap: give --log-gb-per-day")
    else:
        fewest = DAYS_A_MONTH * (given or 0)
        most = DAYS_A_MONTH * (given if given is not None else cap or 0)
        yield Used(resource.name, meter, settings.location, "gigabyte", fewest, most)
    if settings.monitoring.logs.retention_days > 31:
        yield Unpriced(resource.name, "logs that are kept beyond the 31 free days")


def _subscription_plans(resource: Recorded, region: str, recording: Recording) -> Iterator[Line]:
    """Defender for Containers, by the cores of all nodes."""
    templates = objects_at(resource, "properties", "template", "resources")
    if not any(each.get("type") == "Microsoft.Security/pricings" for each in templates):
        yield Unpriced(resource.name, "what its template makes")
        return
    cores = [
        (pool.fewest * _cpus(pool.vm_size), pool.most * _cpus(pool.vm_size))
        for pool in node_pools(recording)
    ]
    meter = Meter("Microsoft Defender for Cloud", r"Standard vCore", r"Containers")
    fewest, most = sum(low for low, _ in cores), sum(high for _, high in cores)
    yield _hourly(resource.name, meter, region, fewest, most)
    yield Unpriced(resource.name, "the plan covers other clusters of the subscription, too")


def _cpus(vm_size: str) -> int:
    return VM_SIZES[vm_size].cpus if vm_size in VM_SIZES else 0
