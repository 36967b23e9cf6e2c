from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.cost.price_list import PriceList, price_list


@pytest.fixture
def prices() -> Iterator[PriceList]:
    with price_list() as prices:
        yield prices
