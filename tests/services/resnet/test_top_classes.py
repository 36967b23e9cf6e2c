"""Logits become probabilities, and probabilities an order that never varies."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.resnet.top_classes import softmax, top_classes

LOGITS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 20)),
    elements=st.floats(-1e8, 1e8, width=32),
)


@given(LOGITS)
def test_probabilities_are_what_torch_computes(logits: np.ndarray) -> None:
    expected = torch.from_numpy(logits.astype(np.float64)).softmax(-1).numpy()
    np.testing.assert_allclose(softmax(logits), expected, atol=1e-6)


@given(LOGITS)
def test_probabilities_sum_to_one(logits: np.ndarray) -> None:
    np.testing.assert_allclose(softmax(logits).sum(axis=-1), 1, atol=1e-5)


def test_the_largest_come_first_and_a_tie_goes_to_the_lower_index() -> None:
    probabilities = np.array([0.1, 0.3, 0.1, 0.3, 0.2], dtype=np.float32)
    assert top_classes(probabilities, 4).tolist() == [1, 3, 4, 0]


def test_what_is_no_number_comes_last() -> None:
    probabilities = np.array([0.1, np.nan, 0.3, 0.2, np.nan], dtype=np.float32)
    assert top_classes(probabilities, 1).tolist() == [2]
    assert top_classes(probabilities, 3).tolist() == [2, 3, 0]


def test_more_classes_than_there_are_is_all_of_them() -> None:
    assert top_classes(np.array([0.4, 0.6], dtype=np.float32), 100).tolist() == [1, 0]


@given(
    arrays.arrays(
        np.float32,
        st.integers(1, 40),
        elements=st.sampled_from([0.0, -0.0, 0.125, 0.25, 0.5, 1.0, np.nan]),
    ),
    st.integers(1, 50),
)
def test_the_order_is_that_of_sorting_all_of_them(probabilities: np.ndarray, count: int) -> None:
    expected = np.argsort(-probabilities, kind="stable")[:count]
    assert top_classes(probabilities, count).tolist() == expected.tolist()
