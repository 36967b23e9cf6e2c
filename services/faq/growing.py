"""Arrays and sparse rows that grow by pieces: in memory while they are small, then in a file."""

from __future__ import annotations

from typing import IO

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array

from services.faq.array_file import spill, temporary_file
from services.faq.sparse_rows import TooManyTerms
from services.faq.terms import SPILLED_ENTRIES

MOST_ENTRIES = int(np.iinfo(np.int32).max)
"""Entries that the rows of one kind can have."""


class GrowingArray:
    """One dimension; from `SPILLED_ENTRIES` on it is kept in a file without a name."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._pieces: list[NDArray] = []
        self._file: IO[bytes] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, piece: NDArray) -> None:
        """Put a piece to the end."""
        self._pieces.append(piece.astype(self._dtype, copy=False))
        self._size += len(piece)
        if self._size >= SPILLED_ENTRIES:
            self._file = self._file or temporary_file()
            for each in self._pieces:
                spill(each, self._file)
            self._pieces.clear()

    def whole(self) -> NDArray:
        """Return the array, to which no more can be put."""
        if self._file is None:
            pieces, self._pieces = self._pieces, []
            return np.concatenate([np.zeros(0, self._dtype), *pieces])
        with self._file as file:
            # As a plain array: each slice of numpy's own class for maps costs more.
            return np.asarray(np.memmap(file, self._dtype, mode="r", shape=(self._size,)))


class GrowingRows:
    """Sparse rows, float32 with int32 columns."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lengths: list[NDArray[np.int64]] = []
        self._indices, self._data = GrowingArray(np.int32), GrowingArray(np.float32)

    def add(self, rows: csr_array) -> None:
        """Put rows below the others.

        Raises:
            TooManyTerms: together they have more entries than `MOST_ENTRIES`.
        """
        if len(self._indices) + len(rows.indices) > MOST_ENTRIES:
            raise TooManyTerms("the texts have more terms than one model can hold: leave some out")
        self._lengths.append(np.diff(rows.indptr).astype(np.int64))
        self._indices.add(rows.indices)
        self._data.add(rows.data)

    def whole(self) -> csr_array:
        """Return all rows, to which no more can be put."""
        lengths = np.concatenate([np.zeros(1, np.int64), *self._lengths])
        indptr = np.cumsum(lengths).astype(np.int32)
        parts = (self._data.whole(), self._indices.whole(), indptr)
        return csr_array(parts, shape=(len(indptr) - 1, self._width))
