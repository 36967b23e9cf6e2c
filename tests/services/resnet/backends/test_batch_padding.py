"""On devices that tune themselves to a shape, batches have few sizes."""

from __future__ import annotations

import numpy as np
import pytest

from services.resnet.backends.batch_padding import padded, padded_sizes


def test_a_batch_is_padded_with_zeros_and_never_cut() -> None:
    batch = np.ones((3, 2), dtype=np.float32)
    assert padded(batch).tolist() == [[1, 1], [1, 1], [1, 1], [0, 0]]
    assert padded(batch[:2]).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("most", [1, 2, 3, 8, 9, 32])
def test_every_size_that_a_batch_is_padded_to_is_warmed_up(most: int) -> None:
    sizes = {len(padded(np.zeros((count, 1), np.float32))) for count in range(1, most + 1)}
    assert sizes == set(padded_sizes(most))
