"""What sign-in to the page declares, and that nothing else opens."""

from __future__ import annotations

import ipaddress
from typing import Any, cast

import pytest
import yaml

from infra.kubernetes.environment import environment
from infra.kubernetes.traffic_policies import route_policies
from infra.planning.wire import Secret
from services.web.settings import WebSettings
from tests.infra.kubernetes.platform_objects import (
    FULL,
    declared,
    objects,
    resource_of,
    settings_with,
    spec_of,
)
from tests.infra.kubernetes.workload_objects import (
    CLIENT_SECRET,
    SIGN_IN,
    VAULT,
    WEB,
    WEB_KEY,
    WITH_SECRET,
    declared_workloads,
)

ISSUER = "https://accounts.example.org"
ELSEWHERE = {"web": {**WEB, "sign_in": {**SIGN_IN, "issuer": ISSUER, "client_secret": "s"}}}


def page_settings(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> WebSettings:
    """The settings that the page makes of its variables."""
    settings = settings_with(values)
    for key, value in environment(settings, "web", {"faq": "faq"}).items():
        monkeypatch.setenv(key, value)
    return WebSettings()


def pod(values: dict[str, Any], workload: str = "web") -> dict[str, Any]:
    found = spec_of(declared_workloads(values), "Deployment", workload)["template"]["spec"]
    return cast(dict[str, Any], found)


def test_by_default_entra_signs_in_with_the_stacks_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_settings(monkeypatch, {"web": WEB})
    tenant = "22222222-2222-2222-2222-222222222222"
    assert page.issuer == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert page.public_url == "https://scoring.example.org"
    assert (page.sign_in_client_id, page.sign_in_groups) == ("page-id", ("a-group",))
    assert not page.open_to_network
    assert page.sign_in_client_secret_file is None


def test_any_provider_signs_in_by_its_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_settings(monkeypatch, ELSEWHERE)
    assert (page.issuer, page.sign_in_tenant) == (ISSUER, "")
    assert str(page.sign_in_client_secret_file) == "/keys/client-secret"
    assert page.sign_in_client_assertion_file is None


def test_limits_and_claims_are_the_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in = {
        "client_id": "page-id", "roles": ['a "role", or two'], "groups_claim": "cognito:groups",
        "scopes": "openid groups", "idle_minutes": 7, "hours": 3,
    }  # fmt: skip
    page = page_settings(monkeypatch, {"web": {**WEB, "sign_in": sign_in}})
    assert page.sign_in_roles == ('a "role", or two',)
    assert (page.sign_in_groups_claim, page.sign_in_scopes) == ("cognito:groups", "openid groups")
    assert (page.session_idle_minutes, page.session_hours) == (7, 3)


def test_in_a_local_stack_the_page_is_open_to_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    local = {"layers": ["local"], "web": {"enabled": True, "api_key": "k"}}
    page = page_settings(monkeypatch, local)
    assert page.open_to_network
    assert not page.signs_in


def test_without_a_secret_the_pods_own_token_goes_to_entra_alone() -> None:
    (volume,) = [each for each in pod({"web": WEB})["volumes"] if each["name"] == "sign-in-token"]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"] == {
        "audience": "api://AzureADTokenExchange", "expirationSeconds": 3600, "path": "token",
    }  # fmt: skip
    (mount,) = [
        each
        for each in pod({"web": WEB})["containers"][0]["volumeMounts"]
        if each["name"] == "sign-in-token"
    ]
    variables = {each["name"]: each["value"] for each in pod({"web": WEB})["containers"][0]["env"]}
    assert variables["WEB_SIGN_IN_CLIENT_ASSERTION_FILE"] == f"{mount['mountPath']}/token"
    assert pod({"web": WEB})["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("values", "workload"), [({"web": WITH_SECRET}, "web"), ({"web": WEB}, "faq")]
)
def test_no_other_pod_has_such_a_token(values: dict[str, Any], workload: str) -> None:
    assert "sign-in-token" not in str(pod(values, workload))


def test_the_client_secret_is_beside_the_pages_key_and_nowhere_in_plain() -> None:
    recording = declared_workloads({"web": WITH_SECRET})
    data = resource_of(recording, "Secret", "scoring-web-key").inputs["stringData"]
    assert isinstance(data, Secret)
    assert data.value == {"api-key": WEB_KEY, "client-secret": CLIENT_SECRET}
    assert CLIENT_SECRET not in str(pod({"web": WITH_SECRET}))
    assert "client-secret" not in str(
        resource_of(recording, "Secret", "scoring-api-keys").inputs["stringData"]
    )


def test_with_a_vault_the_page_alone_mounts_the_client_secret() -> None:
    values = {"web": WITH_SECRET, "security": VAULT}
    recording = declared_workloads(values)
    assert not recording.of_type("core/v1:Secret")
    kept = recording.one(":keyvault:Secret", "api-keys-scoring-web-sign-in").inputs["properties"]
    assert isinstance(kept["value"], Secret)
    assert kept["value"].value == CLIENT_SECRET
    mounted = {
        name: yaml.safe_load(
            spec_of(recording, "SecretProviderClass", f"{name}-keys")["parameters"]["objects"]
        )["array"]
        for name in ("faq", "web")
    }
    assert [yaml.safe_load(each)["objectAlias"] for each in mounted["web"]] == [
        "api-key", "client-secret",
    ]  # fmt: skip
    assert "client-secret" not in str(mounted["faq"])


def way_out(values: dict[str, Any]) -> dict[str, Any]:
    rules = spec_of(declared_workloads(values), "NetworkPolicy", "web")["egress"]
    (rule,) = [each for each in rules if "ipBlock" in str(each)]
    return cast(dict[str, Any], rule)


def test_the_page_reaches_public_addresses_by_https_and_nothing_private() -> None:
    rule = way_out({"web": WEB})
    assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]
    (peer,) = rule["to"]
    assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    closed = [ipaddress.ip_network(each) for each in peer["ipBlock"]["except"]]
    for inside in ("10.40.0.4", "10.244.1.1", "169.254.169.254", "192.168.1.1", "100.64.1.1"):
        assert any(ipaddress.ip_address(inside) in network for network in closed)
    assert not any(ipaddress.ip_address("20.190.160.14") in network for network in closed)


def test_the_providers_addresses_can_be_named() -> None:
    sign_in = {**SIGN_IN, "provider_networks": ["198.51.100.0/24", "10.9.0.0/16"]}
    rule = way_out({"web": {**WEB, "sign_in": sign_in}})
    assert rule["to"] == [
        {"ipBlock": {"cidr": "198.51.100.0/24"}},
        {"ipBlock": {"cidr": "10.9.0.0/16"}},
    ]


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_services_reach_no_provider(name: str) -> None:
    found = spec_of(declared_workloads({"web": WEB}), "NetworkPolicy", name)
    assert "ipBlock" not in str(found["egress"])


def test_a_browser_stays_at_one_pod_of_the_page_for_reading_and_all_else() -> None:
    recording = declared(FULL)
    for name, section in (("page", None), ("page-reads", "reads")):
        spec = spec_of(recording, "BackendTrafficPolicy", name)
        (target,) = spec["targetRefs"]
        assert (target["name"], target.get("sectionName")) == ("web", section)
        assert spec["mergeType"] == "StrategicMerge"
        assert spec["loadBalancer"]["consistentHash"]["cookie"]["ttl"] == "0s"
    reads = spec_of(recording, "BackendTrafficPolicy", "reads")
    assert "web" not in [each["name"] for each in reads["targetRefs"]]
    page_reads = spec_of(recording, "BackendTrafficPolicy", "page-reads")
    assert page_reads["retry"] == reads["retry"]


def test_without_the_page_nothing_of_it_is_declared() -> None:
    assert {o["metadata"]["name"] for o in objects(declared()) if o["kind"] == "BackendTrafficPolicy"} == {
        "backends", "reads",
    }  # fmt: skip


def test_the_page_alone_has_no_policy_for_other_routes() -> None:
    alone = {**FULL, "faq": {"enabled": False}, "resnet": {"enabled": False}}
    assert set(route_policies(settings_with(alone))) == {"page", "page-reads"}
