"""Rules across settings: what is right by itself, but not together.

Each rule is a function from the settings to the mistakes it finds. A rule that says nothing is
kept; the text of a mistake names the other settings that have a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from infra.mistakes import Mistake
from infra.rules import aks_limits, cluster, network, operations, sign_in, stack, workloads

if TYPE_CHECKING:
    from infra.settings import Settings

RULES: tuple[Callable[[Settings], Iterator[Mistake]], ...] = (
    stack.layers,
    network.address_ranges,
    aks_limits.aks_limits,
    network.existing_network,
    network.ddos,
    cluster.api_server,
    cluster.tier,
    cluster.pools_are_sound,
    cluster.gpu_pool,
    workloads.gpu_service,
    workloads.published_weights,
    stack.registry,
    stack.images,
    operations.monitoring,
    operations.security,
    operations.people,
    operations.production,
    network.gateway,
    workloads.queues,
    workloads.scaling,
    sign_in.sign_in,
    workloads.pods_fit,
)


def broken_rules(settings: Settings) -> list[Mistake]:
    """Every mistake that the rules find."""
    if settings.is_local:
        return list(stack.local_stack(settings))
    return [mistake for rule in RULES for mistake in rule(settings)]
