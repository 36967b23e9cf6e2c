"""What the web application firewall looks for, and what it lets pass unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native as azure

from infra.azure.place import Place
from infra.sections.gateway import GatewaySettings

RULE_SET = ("Microsoft_DefaultRuleSet", "2.1")
"""The OWASP core rules with Microsoft's own on top
(learn.microsoft.com/azure/web-application-firewall/ag/application-gateway-crs-rulegroups-rules)."""
CONTENT_TYPE_RULE = ("PROTOCOL-ENFORCEMENT", "920420")
"""Refuses bodies of types that web forms do not send, image/jpeg among them."""
UNREAD_FIELDS = ("question", "input", "image")
"""What the fields of the services' requests begin with, ``inputs`` and ``image.b64`` among them."""
KEY_HEADERS = ("X-API-Key", "Authorization")
ACME_PATH = "/.well-known/acme-challenge/"
INSPECTED_KIB = 128
"""How much of a body is read for attacks: more would cost latency on every picture."""
LONGEST_BODY_KIB = 2000
"""The largest limit that Azure takes for bodies that are not form uploads
(learn.microsoft.com/azure/web-application-firewall/ag/application-gateway-waf-request-size-limits)."""
NOBODY = "255.255.255.255/32"
"""No client has this address: whoever is *not* it is everybody."""


@dataclass(frozen=True)
class FirewallPolicyArgs:
    """What :class:`FirewallPolicy` needs.

    Attributes:
        place: where it goes.
        gateway: mode, limits, networks that may call.
    """

    place: Place
    gateway: GatewaySettings


class FirewallPolicy(pulumi.ComponentResource):
    """Rules of the web application firewall.

    Attributes:
        id: resource id of the policy.
    """

    id: pulumi.Output[str]

    def __init__(
        self, name: str, args: FirewallPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("realtime-scoring:azure:FirewallPolicy", name, None, opts)
        place = args.place
        policy = azure.network.WebApplicationFirewallPolicy(
            f"{name}-policy",
            policy_name=place.naming.resource("waf"),
            resource_group_name=place.resource_group_name,
            location=place.location,
            policy_settings=_policy_settings(args.gateway),
            managed_rules=_managed_rules(),
            custom_rules=_custom_rules(args.gateway),
            tags=place.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = policy.id
        self.register_outputs({"id": self.id})


def _policy_settings(gateway: GatewaySettings) -> azure.network.PolicySettingsArgs:
    mode = azure.network.WebApplicationFirewallMode
    body_kib = gateway.max_body_mib * 1024
    return azure.network.PolicySettingsArgs(
        state=azure.network.WebApplicationFirewallEnabledState.ENABLED,
        mode=mode.PREVENTION
        if gateway.web_application_firewall == "prevention"
        else mode.DETECTION,
        request_body_check=True,
        request_body_inspect_limit_in_kb=INSPECTED_KIB,
        max_request_body_size_in_kb=min(body_kib, LONGEST_BODY_KIB),
        # Pictures may be larger than any limit that Azure offers; then the gateway behind
        # enforces max_body_mib alone.
        request_body_enforcement=body_kib <= LONGEST_BODY_KIB,
        file_upload_limit_in_mb=gateway.max_body_mib,
        file_upload_enforcement=True,
        log_scrubbing=_log_scrubbing(),
    )


def _log_scrubbing() -> azure.network.PolicySettingsLogScrubbingArgs:
    """The firewall logs what matched a rule; an API key must not be in it."""
    return azure.network.PolicySettingsLogScrubbingArgs(
        state=azure.network.WebApplicationFirewallScrubbingState.ENABLED,
        scrubbing_rules=[
            azure.network.WebApplicationFirewallScrubbingRulesArgs(
                match_variable=azure.network.ScrubbingRuleEntryMatchVariable.REQUEST_HEADER_NAMES,
                selector_match_operator=azure.network.ScrubbingRuleEntryMatchOperator.EQUALS,
                selector=header,
                state=azure.network.ScrubbingRuleEntryState.ENABLED,
            )
            for header in KEY_HEADERS
        ],
    )


def _managed_rules() -> azure.network.ManagedRulesDefinitionArgs:
    rule_set, version = RULE_SET
    group, rule = CONTENT_TYPE_RULE
    variable = azure.network.OwaspCrsExclusionEntryMatchVariable
    operator = azure.network.OwaspCrsExclusionEntrySelectorMatchOperator
    return azure.network.ManagedRulesDefinitionArgs(
        managed_rule_sets=[
            azure.network.ManagedRuleSetArgs(
                rule_set_type=rule_set,
                rule_set_version=version,
                rule_group_overrides=[
                    azure.network.ManagedRuleGroupOverrideArgs(
                        rule_group_name=group,
                        rules=[
                            azure.network.ManagedRuleOverrideArgs(
                                rule_id=rule, state=azure.network.ManagedRuleEnabledState.DISABLED
                            )
                        ],
                    )
                ],
            )
        ],
        # Questions about programming are full of SQL and shell commands, which the rules would
        # take for attacks; the service only counts their words. Pictures may hold any bytes.
        exclusions=[
            azure.network.OwaspCrsExclusionEntryArgs(
                match_variable=variable.REQUEST_ARG_VALUES,
                selector_match_operator=operator.STARTS_WITH,
                selector=field,
            )
            for field in UNREAD_FIELDS
        ],
    )


def _custom_rules(
    gateway: GatewaySettings,
) -> list[azure.network.WebApplicationFirewallCustomRuleArgs]:
    """These come before the managed rules: who may call at all, and how often."""
    rules = [_rate_limit(gateway.requests_per_minute)]
    if gateway.allowed_networks:
        rules.insert(0, _only_from(gateway))
    return rules


def _only_from(gateway: GatewaySettings) -> azure.network.WebApplicationFirewallCustomRuleArgs:
    conditions = [_not_from(gateway.allowed_networks)]
    if gateway.tls.issuer.startswith("acme"):
        # The issuer proves from anywhere in the world that the name is ours.
        conditions.append(
            azure.network.MatchConditionArgs(
                match_variables=[
                    azure.network.MatchVariableArgs(
                        variable_name=azure.network.WebApplicationFirewallMatchVariable.REQUEST_URI
                    )
                ],
                operator=azure.network.WebApplicationFirewallOperator.BEGINS_WITH,
                negation_conditon=True,
                match_values=[ACME_PATH],
            )
        )
    return azure.network.WebApplicationFirewallCustomRuleArgs(
        name="AllowedNetworks",
        priority=10,
        rule_type=azure.network.WebApplicationFirewallRuleType.MATCH_RULE,
        action=azure.network.WebApplicationFirewallAction.BLOCK,
        match_conditions=conditions,
        state=azure.network.WebApplicationFirewallState.ENABLED,
    )


def _rate_limit(
    requests_per_minute: int,
) -> azure.network.WebApplicationFirewallCustomRuleArgs:
    """For each client address
    (learn.microsoft.com/azure/web-application-firewall/ag/rate-limiting-configure).
    """
    return azure.network.WebApplicationFirewallCustomRuleArgs(
        name="RequestsPerMinute",
        priority=20,
        rule_type=azure.network.WebApplicationFirewallRuleType.RATE_LIMIT_RULE,
        action=azure.network.WebApplicationFirewallAction.BLOCK,
        rate_limit_duration=azure.network.ApplicationGatewayFirewallRateLimitDuration.ONE_MIN,
        rate_limit_threshold=requests_per_minute,
        group_by_user_session=[
            azure.network.GroupByUserSessionArgs(
                group_by_variables=[
                    azure.network.GroupByVariableArgs(
                        variable_name=azure.network.ApplicationGatewayFirewallUserSessionVariable.CLIENT_ADDR
                    )
                ]
            )
        ],
        match_conditions=[_not_from((NOBODY,))],
        state=azure.network.WebApplicationFirewallState.ENABLED,
    )


def _not_from(networks: Sequence[str]) -> azure.network.MatchConditionArgs:
    return azure.network.MatchConditionArgs(
        match_variables=[
            azure.network.MatchVariableArgs(
                variable_name=azure.network.WebApplicationFirewallMatchVariable.REMOTE_ADDR
            )
        ],
        operator=azure.network.WebApplicationFirewallOperator.IP_MATCH,
        negation_conditon=True,
        match_values=list(networks),
    )
