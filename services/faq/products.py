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
    products = index.by_term[parts].T @ vectors
    kinds = np.asarray((len(SIMILAR), 0, len(SQUARED), len(PRESENT) + 1)) * index.originals
    kinds[1] = index.rows.owner_starts[-1]
    similar, duplicates, squared, present = np.split(products, np.cumsum(kinds)[:-1])
    by_kind = _of_kinds(similar, len(SIMILAR))
    sizes = np.diff(index.rows.owner_starts)
    return Products(
        similar=by_kind,
        squared=_of_kinds(squared, len(SQUARED)),
        present=_of_kinds(present, len(PRESENT) + 1),
        nearest=views(duplicates.T, sizes, by_kind[SIMILAR.index("word")]),
    )


def _dense(places: Sequence[Place], width: int) -> tuple[NDArray[np.int64], Float32s]:
    """Return the columns that any text has, and their weights in each text, (columns, texts)."""
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
    sizes, duplicates = duplicates_of(rows, chosen)
    with _zeros(index.space.width) as vector:
        vector[columns] = weights
        similar = _product(rows.similar, len(SIMILAR), chosen, vector)
        cosines = rows.duplicates[duplicates] @ vector
        vector[columns] = weights * weights
        squared = _product(rows.squared, len(SQUARED), chosen, vector)
        vector[columns] = 1
        present = _product(rows.present, len(PRESENT) + 1, chosen, vector)
        vector[columns] = 0
    return similar, squared, present, views(cosines, sizes, similar[SIMILAR.index("word")])


def _product(
    matrix: csr_array, kinds: int, chosen: NDArray[np.int64], vector: Float32s
) -> Float32s:
    """Return the products of the chosen originals' rows with the vector, (kinds, chosen)."""
    return (chosen_rows(matrix, chosen, kinds) @ vector).reshape(len(chosen), kinds).T


def duplicates_of(
    rows: Rows, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many duplicates each of the chosen originals has, and the places of all of them."""
    starts, ends = rows.owner_starts[chosen], rows.owner_starts[chosen + 1]
    sizes = ends - starts
    last = np.cumsum(sizes)
    return sizes, np.arange(last[-1]) + np.repeat(starts - (last - sizes), sizes)


def views(similar: Float32s, sizes: NDArray[np.int64], original: Float32s) -> Float32s:
    """Return the best, the mean of the best three, and the best of those and the original.

    One sort for all: twice the original's number is added to the similarities, all in [0, 1], of
    its duplicates, so that a sort keeps the groups apart. Where there are fewer than three, zeros
    take their places.

    Args:
        similar: of the duplicates, those of each original together, (…, duplicates).
        sizes: how many each original has.
        original: the similarity of each original itself, (…, originals).

    Returns:
        float32 (3, …, originals).
    """
    last = np.cumsum(sizes)
    group = np.repeat(np.arange(len(sizes)) * 2.0, sizes)
    ranked = np.sort(np.clip(similar, 0, 1) + group, axis=-1) - group
    top = np.zeros((3, *original.shape), np.float32)
    for rank in range(3):
        has = np.flatnonzero(sizes > rank)
        top[rank][..., has] = ranked[..., last[has] - 1 - rank]
    return np.stack((top[0], top.mean(axis=0, dtype=np.float32), np.maximum(top[0], original)))


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
