"""A small network over a text's terms: what a linear classifier cannot say of their combinations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.space import Float32s

UNITS: Final = 128
"""Of the hidden layer."""

_LENGTH: Final = float(np.sqrt(2))
"""Of the vectors: as if those of words and characters had length 1 each."""


@dataclass(frozen=True)
class Network:
    """One hidden layer of rectified linear units between the terms and the originals.

    `terms` is float32 (width of the space, units), `units` float32 (units, originals), and each has
    its bias, float32 (units,) and (originals,).
    """

    terms: Float32s
    terms_bias: Float32s
    units: Float32s
    units_bias: Float32s

    def margins(self, texts: csr_array) -> Float32s:
        """Return how much the texts' terms speak for each original, float32 (texts, originals).

        Text by text where a product of matrices would round differently with the number of texts.

        Args:
            texts: float32 (texts, width), all of equal length.
        """
        hidden = np.maximum(texts @ self.terms + self.terms_bias, 0)
        return np.stack([units @ self.units for units in hidden]) + self.units_bias


def of_equal_length(weights: Float32s) -> Float32s:
    """Scale a text's weights to the length that all have in the classifiers.

    Terms that are not known shorten what similarities are taken of; a margin must not suffer from
    them, as all originals suffer alike.
    """
    length = float(np.sqrt(np.dot(weights, weights)))
    return weights * np.float32(_LENGTH / length) if length > 0 else weights


def rows_of_equal_length(texts: csr_array) -> csr_array:
    """Scale each text's weights, float32 (texts, width), so; a text of no terms stays one."""
    squares: NDArray[np.float32] = texts.power(2).sum(axis=1)
    scales = _LENGTH / np.sqrt(np.where(squares > 0, squares, 1))
    weights = (texts.data * np.repeat(scales, np.diff(texts.indptr))).astype(np.float32)
    return csr_array((weights, texts.indices, texts.indptr), shape=texts.shape)
