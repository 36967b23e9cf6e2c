"""How near an original's nearest duplicates are, found by one sort, is what a loop finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.faq.owned_duplicates import OwnedDuplicates

similarities = st.floats(0, 1, width=32)
families = st.lists(st.lists(similarities, max_size=5), min_size=1, max_size=6)


def one_by_one(family: list[float], original: float) -> tuple[float, float, float]:
    best = sorted([*family, 0, 0, 0], reverse=True)[:3]
    return best[0], sum(best) / 3, max(best[0], original)


@given(families, st.data())
def test_the_nearest_are_those_of_each_original(
    of_originals: list[list[float]], data: st.DataObject
) -> None:
    originals = data.draw(st.lists(similarities, min_size=len(of_originals), max_size=6))
    originals = originals[: len(of_originals)]
    owned = OwnedDuplicates.of(np.asarray([len(family) for family in of_originals]))
    similar = np.asarray([each for family in of_originals for each in family], np.float32)
    nearest = owned.nearest(similar, np.asarray(originals, np.float32))
    expected = [one_by_one(*each) for each in zip(of_originals, originals, strict=True)]
    np.testing.assert_allclose(nearest.T, expected, atol=1e-6)


def test_many_texts_are_asked_at_once() -> None:
    owned = OwnedDuplicates.of(np.asarray([2, 0, 1]))
    similar = np.asarray([[0.1, 0.3, 0.9], [0.5, 0.2, 0.4]], np.float32)
    originals = np.asarray([[0.2, 0.7, 1], [0.6, 0, 0]], np.float32)
    together = owned.nearest(similar, originals)
    for text in range(2):
        alone = owned.nearest(similar[text], originals[text])
        np.testing.assert_array_equal(together[:, text], alone)


def test_similarities_beyond_their_bounds_stay_their_originals() -> None:
    """Rounding may leave a cosine a little above 1; its neighbour is another original's."""
    owned = OwnedDuplicates.of(np.asarray([1, 1]))
    nearest = owned.nearest(np.asarray([1.0000002, 0.5], np.float32), np.zeros(2, np.float32))
    np.testing.assert_array_equal(nearest[0], np.asarray([1, 0.5], np.float32))
