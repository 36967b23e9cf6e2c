"""Sparse rows: put together, taken apart, cut down. All are float32 with int32 columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from services.faq.space import Float32s


class TooManyTerms(Exception):
    """The texts have more terms than an index can hold; the message is one line."""


def interleaved(kinds: Sequence[csr_array]) -> csr_array:
    """Put the kinds' rows of each original, as they are in `Rows`, together."""
    originals = len(kinds[0].indptr) - 1
    order = np.arange(len(kinds)) * originals + np.arange(originals)[:, np.newaxis]
    return csr_array(vstack(kinds, format="csr"), dtype=np.float32)[order.ravel()]


def only(rows: csr_array, columns: slice) -> csr_array:
    """Return the rows with nothing outside of the columns."""
    return _where(rows, (rows.indices >= columns.start) & (rows.indices < columns.stop))


def without(rows: csr_array, columns: slice) -> csr_array:
    """Return the rows with nothing in the columns."""
    return _where(rows, (rows.indices < columns.start) | (rows.indices >= columns.stop))


def heaviest(rows: csr_array, most: int) -> csr_array:
    """Return the rows with no more than so many entries each, those of the greatest values."""
    lengths = np.diff(rows.indptr)
    values = np.asarray(rows.data, np.float32)
    keep = np.ones(len(values), np.bool_)
    for row in np.flatnonzero(lengths > most).tolist():
        entries = slice(rows.indptr[row], rows.indptr[row + 1])
        keep[entries][np.argsort(-values[entries], kind="stable")[most:]] = False
    return rows if keep.all() else _where(rows, keep)


def _where(rows: csr_array, keep: NDArray[np.bool_]) -> csr_array:
    kept = np.concatenate((np.zeros(1, np.int64), np.cumsum(keep)))
    parts = (rows.data[keep], rows.indices[keep], kept[rows.indptr].astype(np.int32))
    return csr_array(parts, shape=rows.shape)


def present_terms(rows: csr_array) -> csr_array:
    """Return the rows with 1 for every entry."""
    return csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), shape=rows.shape)


def unit_length(rows: csr_array) -> tuple[csr_array, Float32s]:
    """Divide the rows by their lengths, and return those too."""
    lengths = np.sqrt(rows.power(2).sum(axis=1)).astype(np.float32)
    divisors = np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr))
    return csr_array((rows.data / divisors, rows.indices, rows.indptr), shape=rows.shape), lengths


def rows_of_kind(rows: csr_array, kind: int, kinds: int) -> csr_array:
    """Return the rows of one of the interleaved kinds."""
    return rows[kind::kinds]


def chosen_rows(rows: csr_array, chosen: NDArray[np.int64], kinds: int) -> csr_array:
    """Return all kinds of rows of some originals."""
    return rows[(chosen[:, np.newaxis] * kinds + np.arange(kinds)).ravel()]


def times(rows: csr_array, factors: Float32s) -> csr_array:
    """Return each row times its factor."""
    values = rows.data * np.repeat(factors, np.diff(rows.indptr))
    return csr_array((values, rows.indices, rows.indptr), shape=rows.shape)
