"""Properties may be unknown, missing or nonsense: no rule raises, and none reports the unknown."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from infra.recording import Secret
from policies.offline import properties, violations
from policies.pack import RULES
from policies.reading import UNKNOWN, at, number, plain, shown
from policies.rule import AnyRule, Resource, ResourceRule, Stack, StackRule
from tests.policies.good_stack import GOOD_STACK

RESOURCES = [
    Resource(
        type=one.type,
        name=one.name,
        urn=one.urn,
        properties=plain(properties(one.inputs)),  # type: ignore[arg-type]
        protect=one.options.protect,
        ignore_changes=one.options.ignore_changes,
        depends_on={k: frozenset(v) for k, v in one.options.property_dependencies.items()},
        provider="own",
    )
    for one in GOOD_STACK
]
TYPES = sorted({resource.type for resource in RESOURCES})
KEYS = sorted({key for resource in RESOURCES for key in resource.properties} | {"spec", "tags"})

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from([UNKNOWN, "Standard", "HTTPS", "10.0.0.0/8", "1.36", "*"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def findings(rule: AnyRule, resources: list[Resource]) -> list[object]:
    if isinstance(rule, StackRule):
        return list(rule.findings(Stack(resources)))
    return [message for resource in resources for message in rule.findings(resource)]


def with_property(resource: Resource, properties: Any) -> Resource:
    return Resource(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        properties=properties,
        protect=resource.protect,
        ignore_changes=resource.ignore_changes,
        depends_on=resource.depends_on,
        provider=resource.provider,
    )


def with_one_value_replaced(value: Any, new: object) -> Iterator[Any]:
    """Copies of the value, each with one value anywhere inside replaced."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in inside:
        changed = copy.copy(value)
        changed[key] = new
        yield changed
        if isinstance(inner, (dict, list)):
            for deeper in with_one_value_replaced(inner, new):
                changed = copy.copy(value)
                changed[key] = deeper
                yield changed


@every_rule
def test_what_is_not_known_yet_is_never_reported(rule: AnyRule) -> None:
    for place, resource in enumerate(RESOURCES):
        if isinstance(rule, ResourceRule) and rule.types and resource.type not in rule.types:
            continue
        for changed in (UNKNOWN, *with_one_value_replaced(resource.properties, UNKNOWN)):
            resources = list(RESOURCES)
            resources[place] = with_property(resource, changed)
            checked = resources if isinstance(rule, StackRule) else [resources[place]]
            assert findings(rule, checked) == [], changed


def test_a_first_preview_without_a_cluster_reports_nothing_across_resources() -> None:
    """The engine then knows the resources' types and names, and none of their properties."""
    unborn = [
        with_property(one, UNKNOWN) if one.type.startswith("kubernetes:") else one
        for one in RESOURCES
    ]
    for rule in RULES:
        if isinstance(rule, StackRule):
            assert findings(rule, unborn) == [], rule.name


def test_a_resource_without_any_property_is_unknown_to_stack_rules() -> None:
    bare = [replace(one, inputs={}) for one in GOOD_STACK if one.type.startswith("kubernetes:")]
    stack_policies = [rule.policy() for rule in RULES if isinstance(rule, StackRule)]
    assert violations(bare, stack_policies) == []


@every_rule
def test_missing_or_empty_values_raise_nothing(rule: AnyRule) -> None:
    for place, resource in enumerate(RESOURCES):
        if isinstance(rule, ResourceRule) and rule.types and resource.type not in rule.types:
            continue
        for new in (None, [], {}, "", 7, [None], {"name": None}):
            for changed in with_one_value_replaced(resource.properties, new):
                resources = list(RESOURCES)
                resources[place] = with_property(resource, changed)
                findings(rule, resources if isinstance(rule, StackRule) else [resources[place]])


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(KEYS), junk)), max_size=4
    )
)
def test_nonsense_raises_nothing(stack: list[tuple[str, dict[str, Any]]]) -> None:
    resources = [
        Resource(type=type_, name="junk", urn=f"urn:pulumi:prod::p::{type_}::{place}", properties=p)
        for place, (type_, p) in enumerate(stack)
    ]
    for rule in RULES:
        findings(rule, resources)


def test_the_engines_unknown_values_are_read_as_unknown() -> None:
    proxy = unknown_checking_proxy(
        {"known": 1, "unknown": UNKNOWN_STRING_VALUE, "list": [1, UNKNOWN_STRING_VALUE]}
    )
    assert plain(proxy) == {"known": 1, "unknown": UNKNOWN, "list": [1, UNKNOWN]}


def test_secrets_and_outputs_of_a_recording_are_read_as_the_engine_gives_them() -> None:
    inputs = {"secret": Secret({"key": "value"}), "id": "/prefix/<output of urn.id>"}
    assert plain(properties(inputs)) == {"secret": {"key": "value"}, "id": UNKNOWN}


def test_a_path_through_what_is_unknown_is_unknown() -> None:
    assert at({"a": UNKNOWN}, "a", "b") is UNKNOWN
    assert at({"a": "text"}, "a", "b") is None
    assert at({}, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3.0), ("3", 3.0), (True, None), ("3Gi", None), (None, None)]
)
def test_numbers_may_be_written_as_text(value: object, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "not set"), (True, "true"), (168.0, "168"), (1.5, "1.5"), ("a", '"a"')],
)
def test_values_are_shown_as_people_write_them(value: object, expected: str) -> None:
    assert shown(value) == expected
