from __future__ import annotations

from typing import Any

import pytest

from infra.azure.firewall_policy import FirewallPolicy, FirewallPolicyArgs
from infra.azure.place import Place
from infra.recording import record_component
from infra.sections.gateway import GatewaySettings


def policy(place: Place, **changes: Any) -> dict[str, Any]:
    gateway = GatewaySettings.model_validate({"web_application_firewall": "prevention", **changes})
    recording = record_component(lambda: FirewallPolicy("waf", FirewallPolicyArgs(place, gateway)))
    return dict(recording.one(":WebApplicationFirewallPolicy").inputs)


def custom_rule(place: Place, name: str, **changes: Any) -> dict[str, Any]:
    rules = policy(place, **changes)["customRules"]
    return next(rule for rule in rules if rule["name"] == name)


@pytest.mark.parametrize(
    ("setting", "mode"), [("detection", "Detection"), ("prevention", "Prevention")]
)
def test_it_watches_or_refuses_as_asked_for(place: Place, setting: str, mode: str) -> None:
    settings = policy(place, web_application_firewall=setting)["policySettings"]
    assert settings["mode"] == mode
    assert settings["state"] == "Enabled"


def test_bodies_are_read_for_attacks(place: Place) -> None:
    settings = policy(place)["policySettings"]
    assert settings["requestBodyCheck"] is True
    assert settings["requestBodyInspectLimitInKB"] == 128


def test_small_limits_are_enforced_here(place: Place) -> None:
    settings = policy(place, max_body_mib=1)["policySettings"]
    assert settings["maxRequestBodySizeInKb"] == 1024
    assert settings["requestBodyEnforcement"] is True
    assert settings["fileUploadLimitInMb"] == 1


def test_pictures_beyond_azures_limit_are_left_to_the_gateway(place: Place) -> None:
    settings = policy(place, max_body_mib=8)["policySettings"]
    assert settings["maxRequestBodySizeInKb"] == 2000
    assert settings["requestBodyEnforcement"] is False
    assert settings["fileUploadLimitInMb"] == 8


def test_the_current_rules_hold_but_for_content_types(place: Place) -> None:
    (rules,) = policy(place)["managedRules"]["managedRuleSets"]
    assert rules["ruleSetType"] == "Microsoft_DefaultRuleSet"
    assert rules["ruleSetVersion"] == "2.1"
    assert rules["ruleGroupOverrides"] == [
        {
            "ruleGroupName": "PROTOCOL-ENFORCEMENT",
            "rules": [{"ruleId": "920420", "state": "Disabled"}],
        }
    ]


def test_questions_may_be_about_sql_and_pictures_hold_any_bytes(place: Place) -> None:
    exclusions = policy(place)["managedRules"]["exclusions"]
    assert exclusions == [
        {
            "matchVariable": "RequestArgValues",
            "selectorMatchOperator": "StartsWith",
            "selector": field,
        }
        for field in ("question", "input", "image")
    ]


def test_api_keys_stay_out_of_the_log(place: Place) -> None:
    scrubbing = policy(place)["policySettings"]["logScrubbing"]
    assert scrubbing["state"] == "Enabled"
    assert [(r["matchVariable"], r["selector"], r["state"]) for r in scrubbing["scrubbingRules"]] == [
        ("RequestHeaderNames", "X-API-Key", "Enabled"),
        ("RequestHeaderNames", "Authorization", "Enabled"),
    ]  # fmt: skip


def test_one_client_cannot_call_without_end(place: Place) -> None:
    rule = custom_rule(place, "RequestsPerMinute", requests_per_minute=900)
    assert rule["ruleType"] == "RateLimitRule"
    assert rule["action"] == "Block"
    assert (rule["rateLimitThreshold"], rule["rateLimitDuration"]) == (900, "OneMin")
    assert rule["groupByUserSession"] == [{"groupByVariables": [{"variableName": "ClientAddr"}]}]


def test_the_rate_holds_for_everybody(place: Place) -> None:
    (condition,) = custom_rule(place, "RequestsPerMinute")["matchConditions"]
    assert condition["negationConditon"] is True
    assert condition["matchValues"] == ["255.255.255.255/32"]


def test_other_networks_are_kept_out(place: Place) -> None:
    rule = custom_rule(place, "AllowedNetworks", allowed_networks=["203.0.113.0/24"])
    (condition,) = rule["matchConditions"]
    assert rule["action"] == "Block"
    assert condition["matchVariables"] == [{"variableName": "RemoteAddr"}]
    assert condition["operator"] == "IPMatch"
    assert condition["negationConditon"] is True
    assert condition["matchValues"] == ["203.0.113.0/24"]


def test_the_certificates_issuer_gets_in_all_the_same(place: Place) -> None:
    rule = custom_rule(
        place, "AllowedNetworks", allowed_networks=["203.0.113.0/24"], tls={"issuer": "acme"}
    )
    _, challenge = rule["matchConditions"]
    assert challenge["matchVariables"] == [{"variableName": "RequestUri"}]
    assert challenge["operator"] == "BeginsWith"
    assert challenge["negationConditon"] is True
    assert challenge["matchValues"] == ["/.well-known/acme-challenge/"]


def test_without_allowed_networks_everybody_may_call(place: Place) -> None:
    assert [rule["name"] for rule in policy(place)["customRules"]] == ["RequestsPerMinute"]
