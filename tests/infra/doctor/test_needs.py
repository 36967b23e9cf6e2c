"""What a stack needs of Azure is read off its own recording, whatever the stack."""

from __future__ import annotations

import json

import pytest

from infra.doctor.needs import needs_of
from infra.planning.resource_types import RESOURCE_TYPES
from infra.planning.stacks import ROOT
from tests.infra.conftest import SUBSCRIPTION
from tests.infra.plans import NAMES, recording_of, settings_of

DEFINITIONS = ROOT.parent / "shared" / "arm" / "index.json"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"


@pytest.mark.parametrize("name", NAMES)
def test_every_stack_says_what_it_needs(name: str) -> None:
    settings = settings_of(name)
    needs = needs_of(settings, recording_of(name))
    assert needs.unknown_types == ()
    if settings.is_local:
        assert needs.subscription_id is None
        assert not needs.actions
        return
    assert settings.location in needs.regions
    assert {"Microsoft.ManagedIdentity"} <= set(needs.providers)
    assert all(scope.startswith("/subscriptions/") for scope in needs.actions)
    types = {action.rpartition("/")[0] for actions in needs.actions.values() for action in actions}
    assert {type_.partition("/")[0] for type_ in types} <= {*needs.providers, "Microsoft.Network"}
    cluster = settings.cluster
    pools = [
        cluster.system_pool,
        cluster.cpu_pool,
        *([cluster.gpu_pool] if cluster.gpu_pool else []),
    ]
    if settings.has_platform:
        assert {(p.name, p.vm_size, p.fewest, p.most) for p in needs.pools} == {
            (p.name, p.vm_size, p.min_nodes, p.max_nodes) for p in pools
        }
        assert {"Microsoft.ContainerService", "Microsoft.Compute"} <= set(needs.providers)
    else:
        assert needs.pools == ()
        assert needs.cluster is None


@pytest.mark.skipif(not DEFINITIONS.is_file(), reason="Azure's type definitions are not here")
def test_types_are_named_as_azure_names_them() -> None:
    known = {
        token.removeprefix("azure-native:"): each["type"].partition("@")[0]
        for token, each in json.loads(DEFINITIONS.read_text(encoding="utf-8")).items()
    }
    both = set(known) & set(RESOURCE_TYPES) - {"resources:ResourceGroup"}
    assert len(both) > 30
    assert {token: RESOURCE_TYPES[token] for token in both} == {t: known[t] for t in both}


def test_rights_are_asked_where_they_are_used() -> None:
    actions = needs_of(settings_of("prod"), recording_of("prod")).actions
    own = actions[f"{SCOPE}/resourceGroups/rg-scoring-prod"]
    assert "Microsoft.Authorization/roleAssignments/write" in own
    assert "Microsoft.Authorization/locks/write" in own
    assert "Microsoft.Security/pricings/write" in actions[SCOPE]
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in actions[SCOPE]
    assert actions[f"{SCOPE}/resourceGroups/rg-dns"] == ("Microsoft.Network/dnsZones/A/write",)
    assert actions[f"{SCOPE}/resourceGroups/rg-hub"] == (
        "Microsoft.Network/virtualNetworks/peer/action",
    )


def test_a_subnet_of_others_needs_a_right_of_theirs() -> None:
    needs = needs_of(settings_of("bring-your-own-vnet"), recording_of("bring-your-own-vnet"))
    shared = needs.actions[f"{SCOPE}/resourceGroups/rg-shared"]
    assert "Microsoft.Network/virtualNetworks/subnets/join/action" in shared
    assert "Microsoft.Network/virtualNetworks/write" not in needs.counts


def test_an_upgrade_of_a_full_pool_takes_its_surge_but_not_of_spot_nodes() -> None:
    surge = {
        (name, pool.name): pool.surge
        for name in ("prod", "gpu-spot")
        for pool in needs_of(settings_of(name), recording_of(name)).pools
    }
    # A third of twelve, and of six, rounded up.
    assert surge["prod", "cpu"] == 4
    assert surge["prod", "gpu"] == 2
    assert surge["gpu-spot", "gpuspot"] == 0
