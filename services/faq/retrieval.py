"""The first stage: which originals a question is compared with at all, found by its rarest terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.faq.space import Float32s, Int32s, Place
from services.faq.sparse_rows import heaviest

CANDIDATES: Final = 200
"""Originals that a question is compared with; all of them where there are no more."""
CHAMPIONS: Final = 4_096
"""Longest list of a term: the originals whose families it weighs most in."""
MOST_POSTINGS: Final = 131_072
"""Entries of the lists that are looked at for one question, those of the heaviest terms first."""

Candidates = NDArray[np.int64]
"""Positions of originals, (texts, candidates), each row ascending."""


@dataclass(frozen=True)
class Postings:
    """For each column of the space, the originals whose family has the term, and its weight there.

    Column `i` has the entries from `starts[i]` to `starts[i + 1]`. Champion lists and impact-ordered
    lists: Manning, Raghavan and Schütze (2008), "Introduction to Information Retrieval", 7.1.
    """

    starts: NDArray[np.int64]
    owners: Int32s
    weights: Float32s
    originals: int


def best_candidates(
    postings: Postings, place: Place, words: slice, code: slice
) -> NDArray[np.int64]:
    """Return the positions of the best originals for a text, ascending; all where they are few.

    An original's score is the product of the text's weights with its family's, as far as the lists
    that are looked at hold it. They are taken from the term that weighs most in the text on, until
    `MOST_POSTINGS` are reached, so a question costs no more among more originals.
    """
    if postings.originals <= CANDIDATES:
        return np.arange(postings.originals)
    scores = _scores(postings, place, words, code)
    best = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
    return np.sort(best)


def _scores(postings: Postings, place: Place, words: slice, code: slice) -> NDArray[np.float64]:
    is_listed = (place.columns < words.stop) | (place.columns >= code.start)
    columns, weights = place.columns[is_listed], place.weights[is_listed]
    starts, ends = postings.starts[columns], postings.starts[columns + 1]
    order = np.argsort(-weights, kind="stable")
    order = order[np.cumsum((ends - starts)[order]) <= MOST_POSTINGS]
    owners = [postings.owners[starts[each] : ends[each]] for each in order.tolist()]
    gains = [postings.weights[starts[each] : ends[each]] * weights[each] for each in order.tolist()]
    if not owners:
        return np.zeros(postings.originals)
    scores = np.bincount(np.concatenate(owners), np.concatenate(gains), postings.originals)
    return np.asarray(scores, np.float64)


def postings_of(families: csr_array) -> Postings:
    """List, for each column, the families that have it, the heaviest `CHAMPIONS` of them.

    Args:
        families: float32 (originals, width).
    """
    by_column = heaviest(csr_array(families.T.tocsr()), CHAMPIONS)
    return Postings(
        starts=by_column.indptr.astype(np.int64),
        owners=by_column.indices.astype(np.int32),
        weights=np.asarray(by_column.data, np.float32),
        originals=len(families.indptr) - 1,
    )
