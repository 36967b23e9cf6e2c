"""The network learns what a linear classifier cannot, the same from the same texts and seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.fit_network import fit_network
from services.faq.network import UNITS, of_equal_length, rows_of_equal_length


@pytest.fixture(scope="module")
def texts() -> csr_array:
    """Four terms, two in each text: either the first or the second, and either of the others."""
    rows = [[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]] * 100
    return rows_of_equal_length(csr_array(np.asarray(rows, np.float32)))


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    """Which is right depends on the two terms together: exclusive or."""
    return np.asarray([0, 1, 1, 0] * 100)


def test_it_learns_what_depends_on_two_terms_together(
    texts: csr_array, labels: NDArray[np.int64]
) -> None:
    network = fit_network(texts, labels, 2, 0)
    assert network.units.shape == (UNITS, 2)
    np.testing.assert_array_equal(network.margins(texts).argmax(axis=1), labels)


def test_the_seed_decides(texts: csr_array, labels: NDArray[np.int64]) -> None:
    first, again, other = (fit_network(texts, labels, 2, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.terms, again.terms)
    np.testing.assert_array_equal(first.units, again.units)
    assert (first.terms != other.terms).any()


def test_a_text_gets_from_a_batch_what_it_gets_alone(
    texts: csr_array, labels: NDArray[np.int64]
) -> None:
    network = fit_network(texts, labels, 2, 0)
    together = network.margins(texts)
    for number in range(4):
        alone = network.margins(texts[number : number + 1])
        np.testing.assert_array_equal(alone[0], together[number])


def test_a_text_and_a_row_of_texts_are_scaled_alike() -> None:
    rows = np.asarray([[3, 0, 4], [0, 0, 0], [0, 0.5, 0]], np.float32)
    scaled = rows_of_equal_length(csr_array(rows)).toarray()
    np.testing.assert_allclose((scaled**2).sum(axis=1), [2, 0, 2], rtol=1e-6)
    for row, expected in zip(rows, scaled, strict=True):
        np.testing.assert_allclose(of_equal_length(row), expected, rtol=1e-6)
