"""What a rule is: a declaration, and a pure function from resources to what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypedDict

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.reading import UNKNOWN, Unknown, at, entries, plain, shown, text
from policies.sources import Source

ENVIRONMENT_TAG = "environment"
PRODUCTION = "prod"


@dataclass(frozen=True)
class Resource:
    """A resource as rules see it.

    Attributes:
        type: token, such as ``azure-native:network:VirtualNetwork``.
        name: name in the program.
        urn: URN.
        properties: in camelCase; values that are not known yet are ``UNKNOWN``, and so is the
            whole where nothing is known.
        protect: whether Pulumi refuses to delete it.
        ignore_changes: properties that others may change.
        depends_on: URNs of the resources whose outputs each property was made of.
        provider: name of its provider; empty where that is not known.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, object] | Unknown
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    depends_on: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    provider: str = ""

    def at(self, *path: str) -> object:
        """What lies at a path of the properties."""
        return at(self.properties, *path)


@dataclass(frozen=True)
class Stack:
    """All resources of a stack."""

    resources: Sequence[Resource]

    def of_type(self, *types: str) -> list[Resource]:
        """Those of some types."""
        return [resource for resource in self.resources if resource.type in types]

    @property
    def is_production(self) -> bool:
        """Whether a tag says so, or, in a stack without tags, the stack's name."""
        tagged = {_environment(resource) for resource in self.resources} - {""}
        if tagged:
            return PRODUCTION in tagged
        return any(_stack_name(resource) == PRODUCTION for resource in self.resources)


@dataclass(frozen=True)
class Finding:
    """What is wrong, and with which resource."""

    resource: Resource
    message: str


ResourceCheck = Callable[[Resource], Iterator[str]]
StackCheck = Callable[[Stack], Iterator[Finding]]


class _Declaration(TypedDict):
    """Arguments that both of the SDK's kinds of policy take."""

    name: str
    description: str
    enforcement_level: EnforcementLevel
    severity: Severity
    remediation_steps: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule declares.

    Attributes:
        name: as users switch it off or on.
        description: what must hold, in one sentence.
        severity: how bad it is when it does not.
        remediation: what to change.
        sources: whose rule it is.
        level: whether a violation stops the deployment.
        production_only: whether the rule holds for stacks tagged ``environment: prod`` alone.
    """

    name: str
    description: str
    severity: Severity
    remediation: str
    sources: tuple[Source, ...]
    level: EnforcementLevel = EnforcementLevel.MANDATORY
    production_only: bool = False

    def _declaration(self) -> _Declaration:
        """What the engine is told of a rule, whatever it looks at."""
        return _Declaration(
            name=self.name,
            description=self.description,
            enforcement_level=self.level,
            severity=self.severity,
            remediation_steps=self.remediation,
            url=self.sources[0].url,
        )


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule on one resource by itself.

    Attributes:
        types: tokens of the resources that it looks at; none stands for all.
        check: yields what is wrong with one.
    """

    types: tuple[str, ...]
    check: ResourceCheck

    def findings(self, resource: Resource) -> Iterator[str]:
        """What is wrong with a resource."""
        if self.types and resource.type not in self.types:
            return
        if self.production_only and _environment(resource) != PRODUCTION:
            return
        yield from self.check(resource)

    def policy(self) -> Policy:
        """As the engine takes it."""

        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if self.types and args.resource_type not in self.types:
                return
            resource = Resource(
                type=args.resource_type,
                name=args.name,
                urn=args.urn,
                properties=entries(plain(args.props)),
                protect=args.opts.protect,
                ignore_changes=tuple(args.opts.ignore_changes),
                provider=args.provider.name if args.provider else "",
            )
            for message in self.findings(resource):
                report(f"{message}. {self.remediation}.", None)

        return ResourceValidationPolicy(validate=validate, **self._declaration())


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule on several resources together.

    Attributes:
        check: yields what is wrong in a stack.
    """

    check: StackCheck

    def findings(self, stack: Stack) -> Iterator[Finding]:
        """What is wrong in a stack."""
        if not self.production_only or stack.is_production:
            yield from self.check(stack)

    def policy(self) -> Policy:
        """As the engine takes it."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            stack = Stack([_of_stack(resource) for resource in args.resources])
            for finding in self.findings(stack):
                report(f"{finding.message}. {self.remediation}.", finding.resource.urn)

        return StackValidationPolicy(validate=validate, **self._declaration())


AnyRule: TypeAlias = ResourceRule | StackRule


def wants(path: str, *allowed: object) -> ResourceCheck:
    """The property at a dotted path has one of the values; a missing one is wrong."""
    wanted = " or ".join(shown(value) for value in allowed)

    def check(resource: Resource) -> Iterator[str]:
        value = resource.at(*path.split("."))
        if value is not UNKNOWN and value not in allowed:
            yield f"{path} is {shown(value)}, not {wanted}"

    return check


def forbids(path: str, *forbidden: object) -> ResourceCheck:
    """The property at a dotted path has none of the values; a missing one is right."""

    def check(resource: Resource) -> Iterator[str]:
        value = resource.at(*path.split("."))
        if value is not UNKNOWN and value is not None and value in forbidden:
            yield f"{path} is {shown(value)}"

    return check


def _environment(resource: Resource) -> str:
    return text(resource.at("tags", ENVIRONMENT_TAG))


def _stack_name(resource: Resource) -> str:
    return resource.urn.partition("::")[0].removeprefix("urn:pulumi:")


def _of_stack(resource: PolicyResource) -> Resource:
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        urn=resource.urn,
        # A first preview cannot ask a provider whose cluster is not there yet: no outputs at all.
        properties=entries(plain(resource.props)) or UNKNOWN,
        protect=resource.opts.protect,
        ignore_changes=tuple(resource.opts.ignore_changes),
        depends_on={
            key: frozenset(other.urn for other in others)
            for key, others in resource.property_dependencies.items()
        },
        provider=resource.provider.name if resource.provider else "",
    )
