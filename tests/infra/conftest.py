from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.azure.locks import Locks
from infra.azure.place import Place
from infra.naming import Naming, tags
from infra.recording import Recording, record_component

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def place() -> Place:
    """Where a component's resources go, with protection and locks on."""
    return Place(
        naming=Naming("scoring", "test", "westeurope", SUBSCRIPTION),
        location="westeurope",
        subscription_id=SUBSCRIPTION,
        tenant_id=TENANT,
        tags=tags("scoring", "test", "test", {"owner": "ml-platform"}),
        resource_group_name="rg-scoring-test",
        protect=True,
        locks=Locks(wanted=True),
    )


@pytest.fixture
def recorded() -> Callable[[Callable[[], object]], Recording]:
    """`recorded(lambda: Component(...))`: what the component declares."""
    return record_component
