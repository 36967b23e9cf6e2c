"""Products of questions' vectors with the originals' rows: what most signals are."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.index import PRESENT, SIMILAR, SQUARED, Index, Rows
from services.faq.owned_duplicates import OwnedDuplicates
from services.faq.retrieval import Candidates
from services.faq.space import Float32s, Place
from services.faq.sparse_rows import chosen_rows


@dataclass(frozen=True)
class Products:
    """What comes of multiplying rows with texts, each float32 (kinds, texts, candidates)."""

    similar: Float32s
    """Of `SIMILAR`."""
    squared: Float32s
    """Of `SQUARED`."""
    present: Float32s
    """Of `PRESENT`, not yet divided, and of the topic."""
    nearest: Float32s
    """Of `NEAREST`."""


def products_with_all(index: Index, places: Sequence[Place]) -> Products:
    """Multiply all originals' rows with texts, term by term and all texts at once.

    The work is in the terms' entries, each of which is read once and multiplied with what the texts
    have of the term. The products of a text are added up in the order of its columns, whatever the
    other texts are: it gets from a batch what it gets alone.
    """
    width = index.space.width
    columns, weights = _dense(places, width)
    parts = np.concatenate((columns, columns + width, columns + 2 * width))
    vectors = np.concatenate((weights, weights * weights, weights > 0), dtype=np.float32)
    products = index.by_term[:, parts] @ vectors
    originals, owned = index.originals, index.duplicates_of_all
    first_duplicate = len(SIMILAR) * originals
    first_squared = first_duplicate + len(owned.number)
    first_present = first_squared + len(SQUARED) * originals
    similar = _of_kinds(products[:first_duplicate], len(SIMILAR))
    duplicates = products[first_duplicate:first_squared]
    return Products(
        similar=similar,
        squared=_of_kinds(products[first_squared:first_present], len(SQUARED)),
        present=_of_kinds(products[first_present:], len(PRESENT) + 1),
        nearest=owned.nearest(duplicates.T, similar[SIMILAR.index("word")]),
    )


def _dense(places: Sequence[Place], width: int) -> tuple[NDArray[np.int64], Float32s]:
    """Return the columns that any text has, and their weights in each text, (columns, texts)."""
    if len(places) == 1:
        return places[0].columns.astype(np.int64), places[0].weights[:, np.newaxis]
    every = np.concatenate([place.columns for place in places])
    row_of = np.zeros(width, np.int64)
    row_of[every] = 1
    columns = np.flatnonzero(row_of)
    row_of[columns] = np.arange(len(columns))
    texts = np.repeat(np.arange(len(places)), [len(place.columns) for place in places])
    weights = np.zeros((len(columns), len(places)), np.float32)
    weights[row_of[every], texts] = np.concatenate([place.weights for place in places])
    return columns, weights


def _of_kinds(products: Float32s, kinds: int) -> Float32s:
    """Return products with the originals' rows, (rows, texts), as (kinds, texts, originals)."""
    return products.reshape(-1, kinds, products.shape[-1]).transpose(1, 2, 0)


def products_with_chosen(index: Index, places: Sequence[Place], candidates: Candidates) -> Products:
    """Multiply each text with the rows of its candidates, a small part of all."""
    each = [
        _with_chosen(index, place, chosen) for place, chosen in zip(places, candidates, strict=True)
    ]
    return Products(*(np.stack(some, axis=1) for some in zip(*each, strict=True)))


def _with_chosen(index: Index, place: Place, chosen: NDArray[np.int64]) -> tuple[Float32s, ...]:
    rows, columns, weights = index.rows, place.columns, place.weights
    duplicates, owned = duplicates_of(rows, chosen)
    with _zeros(index.space.width) as vector:
        vector[columns] = weights
        similar = _product(rows.similar, len(SIMILAR), chosen, vector)
        cosines = rows.duplicates[duplicates] @ vector
        vector[columns] = weights * weights
        squared = _product(rows.squared, len(SQUARED), chosen, vector)
        vector[columns] = 1
        present = _product(rows.present, len(PRESENT) + 1, chosen, vector)
        vector[columns] = 0
    return similar, squared, present, owned.nearest(cosines, similar[SIMILAR.index("word")])


def _product(
    matrix: csr_array, kinds: int, chosen: NDArray[np.int64], vector: Float32s
) -> Float32s:
    """Return the products of the chosen originals' rows with the vector, (kinds, chosen)."""
    return (chosen_rows(matrix, chosen, kinds) @ vector).reshape(len(chosen), kinds).T


def duplicates_of(
    rows: Rows, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], OwnedDuplicates]:
    """Return the places of all duplicates of the chosen originals, and whose they are."""
    starts = rows.owner_starts[chosen]
    sizes = rows.owner_starts[chosen + 1] - starts
    last = np.cumsum(sizes)
    places = np.arange(last[-1]) + np.repeat(starts - (last - sizes), sizes)
    return places, OwnedDuplicates.of(sizes)


class _Dense(threading.local):
    """A vector of zeros for each thread, so that not every question allocates a wide one."""

    vector: Float32s = np.zeros(0, np.float32)


_DENSE: Final = _Dense()


@contextmanager
def _zeros(width: int) -> Iterator[Float32s]:
    """Lend the thread's vector of zeros, which must be zeros again when it is given back."""
    if len(_DENSE.vector) != width:
        _DENSE.vector = np.zeros(width, np.float32)
    try:
        yield _DENSE.vector
    except BaseException:
        _DENSE.vector = np.zeros(0, np.float32)
        raise
