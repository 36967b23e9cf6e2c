"""Names of Azure resources: allowed, unique where Azure shares them, and always the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.naming import Naming, tags

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
STACKS = some.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)
LABELS = some.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)


def named(
    workload: str = "scoring", stack: str = "prod", subscription: str = SUBSCRIPTION
) -> Naming:
    return Naming(workload, stack, "westeurope", subscription)


def test_names_say_what_whose_and_where() -> None:
    assert named().resource("vnet") == "vnet-scoring-prod"
    assert named().resource("snet", "nodes") == "snet-scoring-prod-nodes"


@given(LABELS, STACKS, some.sampled_from([24, 40, 63, 90]))
def test_a_name_is_allowed_whatever_the_stack_is_called(
    workload: str, stack: str, longest: int
) -> None:
    name = named(workload, stack).resource("log", longest=longest)

    assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", name)
    assert len(name) <= longest


@pytest.mark.parametrize("other", ["Prod", "pr-od", "prod.", "prod_"])
def test_stacks_with_almost_the_same_name_share_no_name(other: str) -> None:
    assert named(stack=other).resource("rg") != named(stack="prod").resource("rg")
    assert named(stack="pr.od").resource("rg") != named(stack="pr_od").resource("rg")


@given(LABELS, STACKS)
def test_a_name_that_all_of_azure_shares_has_letters_and_digits_only(
    workload: str, stack: str
) -> None:
    name = named(workload, stack).globally_unique("kv", 24)

    assert re.fullmatch(r"[a-z][a-z0-9]{4,23}", name)


def test_two_long_names_never_become_one() -> None:
    stem = "a" * 80

    names = {named(stack=f"{stem}{end}").resource("rg", longest=40) for end in ("x", "y")}

    assert len(names) == 2


@pytest.mark.parametrize(
    "other",
    [
        named(stack="dev"),
        named(workload="other"),
        named(subscription="22222222-2222-2222-2222-222222222222"),
    ],
)
def test_shared_names_differ_by_stack_workload_and_subscription(other: Naming) -> None:
    assert other.globally_unique("cr", 50) != named().globally_unique("cr", 50)


def test_role_assignments_keep_their_names() -> None:
    """Written out, because a changed name would replace every assignment of a running stack."""
    guid = named().stable_guid("cluster", "acr-pull")

    assert guid == "a90708bc-64fb-57b6-96a1-ab478f39e853"
    assert guid != named().stable_guid("cluster-acr", "pull")
    assert guid != named(workload="other").stable_guid("cluster", "acr-pull")
    assert guid != named(stack="dev").stable_guid("cluster", "acr-pull")


def test_tags_of_ours_cannot_be_replaced() -> None:
    given_tags = tags("scoring", "prod", "prod", {"owner": "a", "managed-by": "hand"})

    assert given_tags == {
        "owner": "a",
        "application": "scoring",
        "environment": "prod",
        "managed-by": "pulumi",
        "pulumi-stack": "prod",
    }


def test_a_like_stack_of_another_subscription_has_another_name_in_the_tenant() -> None:
    other = named(subscription="22222222-2222-2222-2222-222222222222")
    assert named().tenant_wide("operator") == named().tenant_wide("operator")
    assert named().tenant_wide("operator") != other.tenant_wide("operator")
