"""Fitting the network by stochastic gradient descent, which touches only the terms of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.network import UNITS, Network
from services.faq.space import Float32s

EPOCHS: Final = 12
_BATCH: Final = 32
_RATE: Final = 0.1
"""First learning rate, of AdaGrad; it falls to 0 in a straight line."""
_DROPOUT: Final = np.float32(0.3)
"""Share of a text's terms, and of the units, that each step leaves out."""
_TERMS_SPREAD: Final = np.float32(0.05)
_SMALLEST: Final = np.float32(1e-6)


def fit_network(texts: csr_array, labels: NDArray[np.int64], originals: int, seed: int) -> Network:
    """Fit a network that tells which original each text belongs to.

    Softmax and cross-entropy; dropout (Srivastava et al. 2014) of terms and units; AdaGrad (Duchi et
    al. 2011), with one step size for all weights of a term, so that only the rows of the terms that
    a batch has are read and written.

    Args:
        texts: float32 (texts, width), of equal length.
        labels: position of the original of each text.
        originals: number of them.
        seed: same texts and seed, same network.
    """
    width = int(np.asarray(texts.shape)[1])
    descent = _Descent.start(width, originals, np.random.default_rng(seed))
    batches = list(_batches(len(labels), descent.random))
    for number, batch in enumerate(batches):
        rate = np.float32(_RATE * (1 - number / len(batches)))
        descent.step(csr_array(texts[batch]), labels[batch], rate)
    return Network(*(_half_precision(each.values) for each in descent.parameters))


def _batches(texts: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    for _ in range(EPOCHS):
        order = random.permutation(texts)
        yield from (order[start : start + _BATCH] for start in range(0, texts, _BATCH))


@dataclass
class _Parameter:
    """Weights, and the squares of their gradients so far (one for all of a row, if `by_row`)."""

    values: Float32s
    squares: Float32s

    @classmethod
    def of(cls, values: Float32s, *, by_row: bool = False) -> _Parameter:
        shape = (values.shape[0], 1) if by_row else values.shape
        return cls(values, np.full(shape, _SMALLEST, np.float32))

    def descend(self, gradient: Float32s, rate: np.float32) -> None:
        self.squares += gradient**2
        self.values -= rate * gradient / np.sqrt(self.squares)

    def descend_rows(self, rows: NDArray[np.int64], gradient: Float32s, rate: np.float32) -> None:
        squares = self.squares[rows] + (gradient**2).mean(axis=1, keepdims=True)
        self.squares[rows] = squares
        self.values[rows] -= rate * gradient / np.sqrt(squares)


@dataclass
class _Descent:
    parameters: tuple[_Parameter, _Parameter, _Parameter, _Parameter]
    """In the order of `Network`."""
    random: np.random.Generator

    @classmethod
    def start(cls, width: int, originals: int, random: np.random.Generator) -> _Descent:
        terms = random.standard_normal((width, UNITS), np.float32) * _TERMS_SPREAD
        spread = np.float32(np.sqrt(2 / UNITS))
        units = random.standard_normal((UNITS, originals), np.float32) * spread
        return cls(
            (
                _Parameter.of(terms, by_row=True),
                _Parameter.of(np.zeros(UNITS, np.float32)),
                _Parameter.of(units),
                _Parameter.of(np.zeros(originals, np.float32)),
            ),
            random,
        )

    def step(self, batch: csr_array, labels: NDArray[np.int64], rate: np.float32) -> None:
        terms, terms_bias, units, units_bias = self.parameters
        kept = self._kept(batch.data.shape)
        present, places = np.unique(batch.indices.astype(np.int64), return_inverse=True)
        shape = (len(labels), len(present))
        dropped = csr_array((batch.data * kept, places.astype(np.int32), batch.indptr), shape=shape)
        hidden = dropped @ terms.values[present] + terms_bias.values
        passed = (hidden > 0) * self._kept(hidden.shape)
        active = hidden * passed
        error = _softmax(np.asarray(active @ units.values + units_bias.values, np.float32))
        error[np.arange(len(labels)), labels] -= 1
        error /= np.float32(len(labels))
        back = np.asarray((error @ units.values.T) * passed, np.float32)
        units.descend(np.asarray(active.T @ error, np.float32), rate)
        units_bias.descend(error.sum(axis=0), rate)
        terms.descend_rows(present, dropped.T @ back, rate)
        terms_bias.descend(back.sum(axis=0), rate)

    def _kept(self, shape: tuple[int, ...]) -> Float32s:
        """Return 0 for what a step leaves out, and for the rest what makes up for it."""
        kept = self.random.random(shape, np.float32) >= _DROPOUT
        return np.where(kept, 1 / (1 - _DROPOUT), 0).astype(np.float32)


def _softmax(margins: Float32s) -> Float32s:
    exponentials = np.exp(margins - margins.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _half_precision(weights: Float32s) -> Float32s:
    """Round to what the model folder stores, so that a model scores the same before and after."""
    return np.ascontiguousarray(weights.astype(np.float16).astype(np.float32))
