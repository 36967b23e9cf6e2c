"""Each check against a local Azure Resource Manager, asked by Azure's own clients."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.doctor.findings import Finding, Verdict
from tests.infra.conftest import SUBSCRIPTION
from tests.infra.doctor.conftest import Look, verdicts
from tests.infra.doctor.resource_manager import (
    Fault,
    ResourceManager,
    World,
    location_restriction,
    running_pool,
    zone_restriction,
)

TITLES = (
    "Subscription",
    "Permissions",
    "Resource providers",
    "Regions",
    "VM sizes",
    "CPU quotas",
    "Network quotas",
    "Kubernetes",
    "Names",
)


def only(findings: list[Finding], verdict: Verdict) -> Finding:
    """The one finding with that verdict."""
    (found,) = [finding for finding in findings if finding.verdict is verdict]
    return found


def test_a_subscription_with_everything_fails_nothing(look: Look, world: World) -> None:
    found = look("prod", *TITLES)
    assert {f.verdict for findings in found.values() for f in findings} == {Verdict.OK}
    # Lists came in pages of three, and nothing was changed.
    assert len([path for _, path in world.asked if path.endswith("/providers")]) == 6
    assert all(
        path.endswith("/checkNameAvailability") for method, path in world.asked if method != "GET"
    )


def test_a_provider_that_is_not_registered_is_named_and_not_registered(
    look: Look, world: World
) -> None:
    world.providers["Microsoft.Dashboard"] = "NotRegistered"
    del world.providers["Microsoft.Security"]
    world.providers["Microsoft.Monitor"] = "Registering"
    found = look("prod", "Resource providers")["Resource providers"]
    assert verdicts(found) == {
        "registered": Verdict.OK,
        "Microsoft.Dashboard": Verdict.FAILED,
        "Microsoft.Security": Verdict.FAILED,
        "Microsoft.Monitor": Verdict.WARNING,
    }
    assert (
        f"az provider register --namespace Microsoft.Dashboard --wait --subscription {SUBSCRIPTION}"
        in [finding.remedy for finding in found]
    )
    # The dev stack needs neither.
    dev = look("dev", "Resource providers")["Resource providers"]
    assert {finding.verdict for finding in dev} == {Verdict.OK}


def test_no_client_registers_a_provider_by_itself(look: Look, world: World) -> None:
    world.fault(
        "kubernetesVersions",
        Fault(
            409,
            "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace 'Microsoft.ContainerService'.",
        ),
    )
    found = look("dev", "Kubernetes")["Kubernetes"]
    assert only(found, Verdict.UNKNOWN).message == (
        "its resource provider is not registered (409 MissingSubscriptionRegistration)"
    )
    assert {method for method, _ in world.asked} == {"GET"}


@pytest.mark.parametrize(
    ("not_actions", "missing", "role"),
    [
        (
            ["Microsoft.Authorization/*/Write"],
            "Microsoft.Authorization/roleAssignments/write",
            "User Access Administrator",
        ),
        (
            ["Microsoft.ContainerService/*"],
            "Microsoft.ContainerService/managedClusters/write",
            "Contributor",
        ),
    ],
)
def test_a_right_that_is_missing_is_named_with_the_role_that_has_it(
    look: Look, world: World, not_actions: list[str], missing: str, role: str
) -> None:
    world.not_actions = not_actions
    found = look("dev", "Permissions")["Permissions"]
    failing = only(found, Verdict.FAILED)
    assert failing.subject == "resourceGroups/rg-scoring-dev"
    assert missing in failing.message
    assert failing.remedy is not None
    assert role in failing.remedy


def test_a_group_of_others_that_is_not_there_is_named(look: Look, world: World) -> None:
    world.groups.remove("rg-dns")
    found = look("prod", "Permissions")["Permissions"]
    assert only(found, Verdict.FAILED).subject == "resourceGroups/rg-dns"


def test_a_disabled_subscription_and_another_tenant_fail(look: Look, world: World) -> None:
    world.state = "Warned"
    assert "is Warned" in look("dev", "Subscription")["Subscription"][0].message
    world.state, world.tenant = "Enabled", "99999999-2222-2222-2222-222222222222"
    found = look("dev", "Subscription")["Subscription"][0]
    assert found.verdict is Verdict.FAILED
    assert found.remedy == f"pulumi config set tenant_id {world.tenant}"


def test_a_size_is_looked_up_in_each_zone(look: Look, world: World) -> None:
    world.restrictions["Standard_NC4as_T4_v3"] = [zone_restriction("2")]
    world.zones["Standard_D8ds_v5"] = ["1", "2"]
    found = look("prod", "VM sizes")["VM sizes"]
    assert [(f.verdict, f.message.partition(";")[0]) for f in found] == [
        (Verdict.OK, "is offered in zones 1, 2, 3"),
        (Verdict.FAILED, "is not offered in zone 3"),
        (Verdict.FAILED, "is not offered in zone 2"),
    ]


def test_a_size_that_the_subscription_may_not_have_or_the_region_lacks_fails(
    look: Look, world: World
) -> None:
    world.restrictions["Standard_D4ds_v5"] = [location_restriction()]
    world.missing_sizes.add("Standard_NC4as_T4_v3")
    found = look("prod", "VM sizes")["VM sizes"]
    assert [f.verdict for f in found] == [Verdict.FAILED, Verdict.OK, Verdict.FAILED]
    assert "(NotAvailableForSubscription)" in found[0].message
    quotas = look("prod", "CPU quotas")["CPU quotas"]
    # Of the size without a family only the region's whole is known.
    assert only(quotas, Verdict.UNKNOWN).subject == "Standard_NC4as_T4_v3"


def test_quotas_are_counted_at_the_fewest_nodes_at_the_most_and_while_upgrading(
    look: Look, world: World
) -> None:
    # prod: system 3–6 × 4, cpu 3–12 × 8 of one family, gpu 2–6 × 4 of another.
    world.cores["standardDDSv5Family"] = (10, 45)
    world.cores["Standard NCASv3_T4 Family"] = (0, 8)
    found = {f.subject: f for f in look("prod", "CPU quotas")["CPU quotas"]}
    family = found["standardDDSv5Family vCPUs"]
    assert family.verdict is Verdict.FAILED
    assert (
        "takes 36 more at least, 120 at most, 152 while a full pool is upgraded" in family.message
    )
    assert family.remedy is not None
    assert "--resource-name 'standardDDSv5Family' --resource-type dedicated" in family.remedy
    assert "value=162 " in family.remedy
    assert found["Standard NCASv3_T4 Family vCPUs"].verdict is Verdict.WARNING
    assert found["cores vCPUs"].verdict is Verdict.OK


def test_a_gpu_family_without_any_quota_is_only_a_warning_where_the_pool_may_be_empty(
    look: Look, world: World
) -> None:
    world.cores["Standard NCASv3_T4 Family"] = (0, 0)
    assert (
        verdicts(look("split-platform", "CPU quotas")["CPU quotas"])[
            "Standard NCASv3_T4 Family vCPUs"
        ]
        is Verdict.WARNING
    )
    assert (
        verdicts(look("prod", "CPU quotas")["CPU quotas"])["Standard NCASv3_T4 Family vCPUs"]
        is Verdict.FAILED
    )


def test_spot_nodes_count_against_the_spot_quota_alone(look: Look, world: World) -> None:
    world.cores["lowPriorityCores"] = (0, 4)
    world.cores["Standard NCASv3_T4 Family"] = (0, 0)
    world.cores["standardDDSv5Family"] = (0, 300)
    found = {f.subject: f for f in look("gpu-spot", "CPU quotas")["CPU quotas"]}
    assert found["lowPriorityCores vCPUs"].verdict is Verdict.WARNING
    assert "takes 0 more at least, 16 at most" in found["lowPriorityCores vCPUs"].message
    assert "Standard NCASv3_T4 Family vCPUs" not in found


def test_nodes_that_run_already_are_not_counted_twice(look: Look, world: World) -> None:
    world.pools = [
        running_pool("system", 3, "Standard_D4ds_v5"),
        # Azure does not mind how a size is written.
        running_pool("cpu", 4, "standard_d8ds_V5"),
        running_pool("gpu", 2, "Standard_NC4as_T4_v3"),
    ]
    world.cores["standardDDSv5Family"] = (44, 44)
    found = {f.subject: f for f in look("prod", "CPU quotas", "Network quotas")["CPU quotas"]}
    family = found["standardDDSv5Family vCPUs"]
    assert family.verdict is Verdict.WARNING
    assert "takes 0 more at least, 76 at most" in family.message


def test_nodes_of_a_size_that_the_pool_had_before_leave_no_room_in_another_family(
    look: Look, world: World
) -> None:
    # They go before the new ones come: 8 CPUs of the region's whole, none of the new family.
    world.pools = [
        running_pool("system", 3, "Standard_D4ds_v5"),
        running_pool("cpu", 4, "Standard_D2ads_v5"),
        running_pool("gpu", 2, "Standard_NC4as_T4_v3"),
    ]
    found = {f.subject: f.message for f in look("prod", "CPU quotas")["CPU quotas"]}
    assert "takes 24 more at least, 108 at most" in found["standardDDSv5Family vCPUs"]
    assert "takes 16 more at least, 116 at most" in found["cores vCPUs"]


def test_nodes_of_a_smaller_size_of_the_family_make_room_for_what_they_took(
    look: Look, world: World
) -> None:
    world.pools = [
        running_pool("system", 3, "Standard_D4ds_v5"),
        running_pool("cpu", 4, "Standard_D2ds_v5"),
        running_pool("gpu", 2, "Standard_NC4as_T4_v3"),
    ]
    found = {f.subject: f.message for f in look("prod", "CPU quotas")["CPU quotas"]}
    assert "takes 16 more at least, 100 at most" in found["standardDDSv5Family vCPUs"]


def test_spot_nodes_leave_no_room_for_regular_ones(look: Look, world: World) -> None:
    world.pools = [
        running_pool("system", 3, "Standard_D4ds_v5"),
        running_pool("cpu", 4, "Standard_D8ds_v5", spot=True),
        running_pool("gpu", 2, "Standard_NC4as_T4_v3"),
    ]
    found = {f.subject: f.message for f in look("prod", "CPU quotas")["CPU quotas"]}
    for quota in ("standardDDSv5Family vCPUs", "cores vCPUs"):
        assert "takes 24 more at least" in found[quota]


def test_too_few_addresses_fail(look: Look, world: World) -> None:
    world.addresses = (18, 20)
    found = look("prod", "Network quotas")["Network quotas"]
    assert only(found, Verdict.FAILED).message == "18 of 20 used; the stack takes 3"


def test_what_a_change_adds_to_a_network_that_is_there_is_not_called_fine(
    look: Look, world: World
) -> None:
    world.pools = []
    world.addresses = (20, 20)
    (found,) = look("prod", "Network quotas")["Network quotas"]
    assert found == Finding(
        "network",
        Verdict.SKIPPED,
        "not looked at: the cluster is there; addresses and gateways that a change adds are not "
        "counted",
    )


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        (lambda w: w.versions.pop(2), Verdict.FAILED, "does not offer it in westeurope: 1.35"),
        (lambda w: w.versions[2].update(isPreview=True), Verdict.WARNING, "is a preview"),
        (
            lambda w: w.versions[2]["capabilities"].update(supportPlan=["AKSLongTermSupport"]),
            Verdict.FAILED,
            "past its support",
        ),
    ],
)  # fmt: skip
def test_a_version_that_is_over_or_not_out_yet_is_told(
    look: Look, world: World, change: Callable[[World], object], verdict: Verdict, words: str
) -> None:
    change(world)
    (found,) = look("dev", "Kubernetes")["Kubernetes"]
    assert (found.verdict, words in found.message) == (verdict, True)
    assert found.remedy == 'pulumi config set --path cluster.kubernetes_version "1.35"' or (
        found.remedy is not None and "1.3" in found.remedy
    )


def test_names_are_free_taken_deleted_or_ones_own(look: Look, world: World) -> None:
    registry, vault, storage = (
        "crscoringprod8af625",
        "kvscoringprod8af625",
        "stflowscoringprod8af625",
    )
    world.taken = {registry, storage}
    world.deleted_vaults = {vault}
    found = {f.subject: f for f in look("prod", "Names")["Names"]}
    assert {f.verdict for f in found.values()} == {Verdict.FAILED}
    remedy = found[f"key vault {vault}"].remedy
    assert remedy is not None
    assert remedy.startswith(f"az keyvault recover --name {vault}")
    world.own = {registry, vault, storage}
    again = look("prod", "Names")["Names"]
    assert {f.message for f in again} == {"is this stack's own"}


def test_flow_logs_need_the_regions_network_watcher(look: Look, world: World) -> None:
    world.watcher = False
    found = look("prod", "Regions")["Regions"]
    assert only(found, Verdict.FAILED).remedy == (
        "az network watcher configure -g NetworkWatcherRG -l westeurope --enabled true"
    )


def test_throttling_is_waited_out(look: Look, world: World) -> None:
    world.fault("/usages", Fault(429, "TooManyRequests", headers={"Retry-After": "0"}, times=2))
    assert {f.verdict for f in look("dev", "CPU quotas")["CPU quotas"]} == {Verdict.OK}
    world.fault("/skus", Fault(429, "TooManyRequests", headers={"Retry-After": "0"}))
    (found,) = look("dev", "VM sizes")["VM sizes"]
    assert (found.verdict, found.message) == (
        Verdict.UNKNOWN,
        "Azure asks to wait (429 TooManyRequests)",
    )


def test_one_interface_that_fails_stops_no_other(look: Look, world: World) -> None:
    world.fault("/skus", Fault(501, "NotImplemented"))
    world.fault(
        "rg-dns/",
        Fault(
            403,
            "AuthorizationFailed",
            "The client 'ada' does not have authorization to perform action "
            "'Microsoft.Authorization/permissions/read' over scope '/y'.",
        ),
    )
    found = look("prod", *TITLES)
    assert [
        t for t, findings in found.items() if all(f.verdict is Verdict.UNKNOWN for f in findings)
    ] == [
        "VM sizes",
        "CPU quotas",
    ]
    dns = only(found["Permissions"], Verdict.UNKNOWN)
    assert dns.subject == "resourceGroups/rg-dns"
    assert dns.message == (
        "no permission to look (403 AuthorizationFailed): needs Microsoft.Authorization/permissions/read"
    )
    assert dns.remedy == "ask for the role Reader on the subscription"
    assert {f.verdict for f in found["Names"]} == {Verdict.OK}


def test_an_expired_sign_in_is_told_as_such(look: Look, world: World) -> None:
    world.fault(
        "",
        Fault(
            401,
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than now.",
        ),
    )
    found = look("dev", "Subscription", "Names")
    for findings in found.values():
        assert findings[0].verdict is Verdict.UNKNOWN
        assert findings[0].message.startswith("the sign-in has expired or is not accepted (401")
        assert findings[0].remedy == "az login"


def test_a_subscription_that_is_not_there_fails(look: Look, world: World) -> None:
    world.fault("", Fault(404, "SubscriptionNotFound"))
    assert look("dev", "Subscription")["Subscription"][0].verdict is Verdict.FAILED


def test_a_list_that_goes_on_elsewhere_is_not_followed_with_the_token(
    manager: ResourceManager, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = manager.azure()
    asked: list[str] = []
    answers = [{"value": [{"actions": ["*"]}], "nextLink": "https://elsewhere.example/next"}]

    def ask(self: object, method: str, path: str, *_: object) -> dict[str, object]:
        asked.append(path)
        return answers[0]

    monkeypatch.setattr(type(azure.arm), "ask", ask)
    grants = azure.grants("/subscriptions/x")
    assert grants is not None
    assert len(grants) == 1
    assert len(asked) == 1
