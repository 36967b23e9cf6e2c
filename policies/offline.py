"""The pack without an engine: the same policies, run on what the offline plan recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.recording import Recorded, Secret
from policies import pack

UNKNOWN_MARK = "<output of "
"""With this the offline plan writes a value that only a real run knows."""
DEFAULT_PROVIDER = "default"


@dataclass(frozen=True)
class Violation:
    """What a policy reported.

    Attributes:
        policy: name of the policy.
        urn: of the resource that violates it; empty for the stack as a whole.
        message: what is wrong, and what to change.
        mandatory: whether the engine would stop.
    """

    policy: str
    urn: str
    message: str
    mandatory: bool

    def __str__(self) -> str:
        return f"{self.policy}: {self.urn.rpartition('::')[2]}: {self.message}"


def violations(
    resources: Sequence[Recorded], policies: Sequence[Policy] | None = None
) -> list[Violation]:
    """What the policies, all of the pack by default, report on a stack's resources."""
    chosen = pack.policies() if policies is None else policies
    by_urn = _policy_resources(resources)
    found: list[Violation] = []
    for policy in chosen:
        if isinstance(policy, ResourceValidationPolicy):
            for resource in by_urn.values():
                report = _Report(found, policy, resource.urn)
                policy.validate(_arguments(resource), report)  # pyright: ignore[reportUnknownMemberType]
        elif isinstance(policy, StackValidationPolicy):
            arguments = StackValidationArgs(list(by_urn.values()))
            report = _Report(found, policy, "")
            policy.validate(arguments, report)  # pyright: ignore[reportUnknownMemberType]
    return found


@dataclass(frozen=True)
class _Report:
    """Takes what a policy reports."""

    found: list[Violation]
    policy: Policy
    urn: str

    def __call__(self, message: str, urn: str | None = None) -> None:
        mandatory = self.policy.enforcement_level is EnforcementLevel.MANDATORY
        self.found.append(Violation(self.policy.name, urn or self.urn, message, mandatory))


def _policy_resources(resources: Sequence[Recorded]) -> dict[str, PolicyResource]:
    """As the engine hands them over, parents and dependencies as objects."""
    by_urn = {resource.urn: _policy_resource(resource) for resource in resources}
    for resource in resources:
        there = by_urn[resource.urn]
        there.parent = by_urn.get(resource.parent)
        there.dependencies = [by_urn[u] for u in resource.options.depends_on if u in by_urn]
        there.property_dependencies = {
            key: [by_urn[urn] for urn in urns if urn in by_urn]
            for key, urns in resource.options.property_dependencies.items()
        }
    return by_urn


def _policy_resource(resource: Recorded) -> PolicyResource:
    options = resource.options
    return PolicyResource(
        resource.type,
        properties(resource.inputs),
        resource.urn,
        resource.name,
        PolicyResourceOptions(
            options.protect,
            list(options.ignore_changes),
            options.delete_before_replace,
            list(options.aliases),
            PolicyCustomTimeouts(0, 0, 0),
            list(options.additional_secret_outputs),
            resource.parent,
        ),
        _provider(resource) if resource.custom else None,
        None,
        [],
        {},
    )


def _provider(resource: Recorded) -> PolicyProviderResource:
    urn = resource.options.provider
    name = urn.rpartition("::")[2] or DEFAULT_PROVIDER
    package = resource.type.partition(":")[0]
    return PolicyProviderResource(f"pulumi:providers:{package}", {}, urn, name)


def _arguments(resource: PolicyResource) -> ResourceValidationArgs:
    return ResourceValidationArgs(
        resource.resource_type,
        resource.props,
        resource.urn,
        resource.name,
        resource.opts,
        resource.provider,
    )


def properties(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs behind the proxies that the engine's side puts before them."""
    return unknown_checking_proxy({key: _as_sent(value) for key, value in inputs.items()})


def _as_sent(value: object) -> object:
    """Secrets bare, as policies get them; outputs as the marks of what is not known yet."""
    if isinstance(value, Secret):
        return _as_sent(value.value)
    if isinstance(value, str) and UNKNOWN_MARK in value:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, dict):
        return {key: _as_sent(inner) for key, inner in cast(dict[str, object], value).items()}
    if isinstance(value, list):
        return [_as_sent(inner) for inner in cast(list[object], value)]
    return value
