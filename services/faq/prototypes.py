"""Classifiers of new originals among few, without fitting: what is typical of their texts.

A fitted classifier of an original says yes to its texts and no to the others'. A prototype points
from the mean text to the mean of the new original's, is as long as the fitted ones usually are, and
says of the mean text what those usually say of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from services.faq.build_index import Learnt, pooled_duplicates
from services.faq.fit_index import half_precision
from services.faq.index import SIMILAR, Index, Rows, Topics
from services.faq.known import Known
from services.faq.network import Network, rows_of_equal_length
from services.faq.space import Float32s
from services.faq.sparse_rows import rows_of_kind


def with_prototypes(index: Index, learnt: Learnt, new: Known) -> Learnt:
    """Return the classifiers with one more for each new original."""
    tables = (new.originals, new.answers, new.duplicates)
    texts = csr_array(vstack([index.space.rows(table).weights for table in tables]))
    originals = len(new.originals)
    owners = np.concatenate((np.tile(np.arange(originals), 2), new.owners))
    texts, known = rows_of_equal_length(texts), rows_of_equal_length(_questions(index.rows))
    topics, network = learnt.topics, learnt.network
    weights, bias = _prototypes(
        _means(texts, owners, originals), known.mean(axis=0), topics.weights, topics.bias
    )
    units, units_bias = _prototypes(
        _means(csr_array(_hidden(network, texts)), owners, originals),
        _hidden(network, known).mean(axis=0),
        network.units,
        network.units_bias,
    )
    return Learnt(
        Topics(np.hstack((topics.weights, weights)), np.concatenate((topics.bias, bias))),
        Network(
            network.terms,
            network.terms_bias,
            np.hstack((network.units, units)),
            np.concatenate((network.units_bias, units_bias)),
        ),
    )


def chosen(learnt: Learnt, order: NDArray[np.int64]) -> Learnt:
    """Return the classifiers of some originals."""
    topics, network = learnt.topics, learnt.network
    return Learnt(
        Topics(np.ascontiguousarray(topics.weights[:, order]), topics.bias[order]),
        Network(
            network.terms,
            network.terms_bias,
            np.ascontiguousarray(network.units[:, order]),
            network.units_bias[order],
        ),
    )


def _prototypes(
    means: Float32s, mean: Float32s, weights: Float32s, bias: Float32s
) -> tuple[Float32s, Float32s]:
    """Return weights, (width, new), and bias of new originals whose texts have these means."""
    directions = means - mean
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    usual = np.median(np.linalg.norm(weights, axis=0))
    new = half_precision((directions / np.where(lengths > 0, lengths, 1) * usual).T)
    usually = np.median(mean @ weights + bias)
    return new, np.asarray(usually - mean @ new, np.float32)


def _means(texts: csr_array, owners: NDArray[np.int64], originals: int) -> Float32s:
    sums = pooled_duplicates(owners, originals, texts).toarray()
    return sums / np.bincount(owners, minlength=originals)[:, np.newaxis]


def _hidden(network: Network, texts: csr_array) -> Float32s:
    return np.maximum(texts @ network.terms + network.terms_bias, 0)


def _questions(rows: Rows) -> csr_array:
    """Return all terms of each original's question."""
    words, characters, code = (
        rows_of_kind(rows.similar, SIMILAR.index(kind), len(SIMILAR))
        for kind in ("word", "character", "code")
    )
    return csr_array(words + characters + code)
