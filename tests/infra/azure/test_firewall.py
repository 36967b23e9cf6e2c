from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.azure.firewall import Firewall, FirewallArgs
from infra.azure.place import Place
from infra.recording import Recording, record_component
from infra.sections.gateway import GatewaySettings

VAULT = "/subscriptions/1/resourceGroups/hub/providers/Microsoft.KeyVault/vaults/certificates"
CERTIFICATE = "https://certificates.vault.azure.net/secrets/scoring"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


def settings(**changes: Any) -> GatewaySettings:
    tls = {"issuer": "existing-secret", "existing_secret": "tls"} | changes.pop("tls", {})
    return GatewaySettings.model_validate(
        {
            "web_application_firewall": "prevention",
            "firewall_certificate_id": CERTIFICATE,
            "firewall_certificate_vault_id": VAULT,
            "tls": tls,
            **changes,
        }
    )


def declared(place: Place, zones: tuple[str, ...] = (), **changes: Any) -> Recording:
    args = FirewallArgs(
        place,
        settings(**changes),
        subnet_id="subnet-id",
        address_id="address-id",
        zones=zones,
        workspace_id="workspace",
    )
    return record_component(lambda: Firewall("firewall", args))


def gateway(recording: Recording) -> dict[str, Any]:
    return dict(recording.one(":ApplicationGateway").inputs)


def by_name(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in parts}


def parts_of(inputs: dict[str, Any]) -> dict[str, set[str]]:
    """Names of the parts that can be referred to, by kind."""
    return {
        kind: set(by_name(parts))
        for kind, parts in inputs.items()
        if isinstance(parts, list) and parts and isinstance(parts[0], dict)
    }


def references(value: Any) -> list[tuple[str, str]]:
    """References to parts of the gateway itself: kind and name of each."""
    if isinstance(value, dict):
        marker = "/applicationGateways/"
        own = value.get("id")
        if isinstance(own, str) and marker in own:
            _, kind, name = own.partition(marker)[2].split("/")
            return [(kind, name)]
        return [found for item in value.values() for found in references(item)]
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    return []


@pytest.mark.parametrize("issuer", ["existing-secret", "acme"])
def test_every_part_refers_to_parts_that_are_there(place: Place, issuer: str) -> None:
    inputs = gateway(declared(place, tls={"issuer": issuer}))
    parts = parts_of(inputs)
    found = references(inputs)
    assert len(found) > 10
    assert [(kind, name) for kind, name in found if name not in parts[kind]] == []


def test_parts_are_referred_to_under_the_gateways_own_id(place: Place) -> None:
    listener = gateway(declared(place))["httpListeners"][0]
    assert listener["frontendPort"]["id"] == (
        f"{place.subscription}/resourceGroups/rg-scoring-test/providers/Microsoft.Network"
        "/applicationGateways/agw-scoring-test/frontendPorts/http"
    )


def test_it_is_of_the_tier_with_the_firewall_and_bound_to_its_policy(place: Place) -> None:
    recording = declared(place)
    inputs = gateway(recording)
    assert inputs["sku"] == {"name": "WAF_v2", "tier": "WAF_v2"}
    policy = recording.one(":WebApplicationFirewallPolicy")
    assert inputs["firewallPolicy"] == {"id": f"<output of {policy.urn}.id>"}


def test_it_stands_between_the_public_address_and_its_own_subnet(place: Place) -> None:
    inputs = gateway(declared(place))
    assert inputs["frontendIPConfigurations"][0]["publicIPAddress"] == {"id": "address-id"}
    assert inputs["gatewayIPConfigurations"][0]["subnet"] == {"id": "subnet-id"}


def test_http_is_redirected_for_good_with_path_and_query(place: Place) -> None:
    inputs = gateway(declared(place))
    rule = by_name(inputs["requestRoutingRules"])["http"]
    assert references(rule) == [("httpListeners", "http"), ("redirectConfigurations", "to-https")]
    (redirect,) = inputs["redirectConfigurations"]
    assert redirect["redirectType"] == "Permanent"
    assert redirect["includePath"] is True
    assert redirect["includeQueryString"] is True
    assert references(redirect) == [("httpListeners", "https")]


def test_only_acme_challenges_stay_on_http(place: Place) -> None:
    inputs = gateway(declared(place, tls={"issuer": "acme"}))
    rule = by_name(inputs["requestRoutingRules"])["http"]
    assert rule["ruleType"] == "PathBasedRouting"
    (paths,) = inputs["urlPathMaps"]
    assert references(paths["defaultRedirectConfiguration"]) == [
        ("redirectConfigurations", "to-https")
    ]
    (challenges,) = paths["pathRules"]
    assert challenges["paths"] == ["/.well-known/acme-challenge/*"]
    backend = by_name(inputs["backendHttpSettingsCollection"])["challenges"]
    assert (backend["protocol"], backend["port"]) == ("Http", 80)


def test_without_acme_no_plain_http_reaches_the_cluster(place: Place) -> None:
    inputs = gateway(declared(place))
    assert "urlPathMaps" not in inputs
    assert {s["protocol"] for s in inputs["backendHttpSettingsCollection"]} == {"Https"}


def test_it_answers_to_its_host_name_alone(place: Place) -> None:
    listeners = gateway(declared(place, host_name="score.acme.org"))["httpListeners"]
    assert [listener["hostNames"] for listener in listeners] == [["score.acme.org"]] * 2


def test_tls_ends_with_the_key_vaults_certificate(place: Place) -> None:
    inputs = gateway(declared(place))
    assert inputs["sslCertificates"] == [{"name": "certificate", "keyVaultSecretId": CERTIFICATE}]
    listener = by_name(inputs["httpListeners"])["https"]
    assert listener["protocol"] == "Https"
    assert references(listener["sslCertificate"]) == [("sslCertificates", "certificate")]


def test_it_may_read_that_certificate_before_it_is_made(place: Place) -> None:
    recording = declared(place)
    identity, right = recording.one(":UserAssignedIdentity"), recording.one(":RoleAssignment")
    inputs = gateway(recording)
    assert inputs["identity"]["userAssignedIdentities"] == [f"<output of {identity.urn}.id>"]
    assert right.inputs["scope"] == VAULT
    assert right.inputs["principalId"] == f"<output of {identity.urn}.principalId>"
    assert str(right.inputs["roleDefinitionId"]).endswith(SECRETS_USER)
    assert right.urn in recording.one(":ApplicationGateway").options.depends_on


def test_without_a_vault_there_is_no_firewall(place: Place) -> None:
    with pytest.raises(ValueError, match="key vault of its certificate"):
        declared(place, firewall_certificate_vault_id=None)


def test_old_tls_is_refused(place: Place) -> None:
    assert gateway(declared(place))["sslPolicy"] == {
        "policyType": "Predefined",
        "policyName": "AppGwSslPolicy20220101S",
    }


def test_tls_1_3_alone_where_asked_for(place: Place) -> None:
    policy = gateway(declared(place, tls={"minimum_version": "1.3"}))["sslPolicy"]
    assert policy == {"policyType": "CustomV2", "minProtocolVersion": "TLSv1_3"}


def test_the_way_to_the_cluster_is_encrypted_and_names_the_host(place: Place) -> None:
    inputs = gateway(declared(place, internal_address="10.40.3.9", request_timeout_seconds=45))
    assert inputs["backendAddressPools"][0]["backendAddresses"] == [{"ipAddress": "10.40.3.9"}]
    (backend,) = inputs["backendHttpSettingsCollection"]
    assert (backend["protocol"], backend["port"]) == ("Https", 443)
    assert backend["hostName"] == "scoring.example.org"
    assert backend["requestTimeout"] == 45
    assert references(backend["probe"]) == [("probes", "gateway")]


def test_the_gateway_behind_learns_the_clients_address_and_nothing_the_client_made_up(
    place: Place,
) -> None:
    inputs = gateway(declared(place))
    rule = by_name(inputs["requestRoutingRules"])["https"]
    assert ("rewriteRuleSets", "client-address") in references(rule)
    (rewrites,) = inputs["rewriteRuleSets"]
    (rewrite,) = rewrites["rewriteRules"]
    assert rewrite["actionSet"] == {
        "requestHeaderConfigurations": [
            {"headerName": "X-Forwarded-For", "headerValue": "{var_client_ip}"}
        ]
    }


def test_a_service_that_is_away_does_not_take_the_gateway_along(place: Place) -> None:
    (probe,) = gateway(declared(place))["probes"]
    assert (probe["protocol"], probe["path"]) == ("Https", "/faq/livez")
    assert probe["host"] == "scoring.example.org"
    assert probe["match"] == {"statusCodes": ["200-599"]}


def test_it_survives_the_loss_of_a_zone(place: Place) -> None:
    inputs = gateway(declared(place, zones=("1", "2", "3")))
    assert inputs["zones"] == ["1", "2", "3"]
    assert inputs["autoscaleConfiguration"] == {"minCapacity": 2, "maxCapacity": 10}


def test_the_smallest_has_one_unit(place: Place) -> None:
    inputs = gateway(declared(place))
    assert "zones" not in inputs
    assert inputs["autoscaleConfiguration"]["minCapacity"] == 1


def test_what_it_sees_is_logged(place: Place) -> None:
    recording = declared(place)
    setting: Any = recording.one(":DiagnosticSetting").inputs
    own = recording.one(":ApplicationGateway").urn
    assert setting["resourceUri"] == f"<output of {own}.id>"
    assert setting["logs"] == [{"categoryGroup": "allLogs", "enabled": True}]


@pytest.mark.parametrize("mode", ["detection", "prevention"])
@pytest.mark.parametrize("issuer", ["existing-secret", "acme"])
def test_azure_takes_every_input(
    place: Place, azure_faults: Callable[[Recording], list[str]], mode: str, issuer: str
) -> None:
    recording = declared(
        place,
        zones=("1", "2"),
        web_application_firewall=mode,
        allowed_networks=["203.0.113.0/24"],
        tls={"issuer": issuer},
    )
    assert azure_faults(recording) == []
