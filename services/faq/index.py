"""The originals' side of every pair, computed once: what a posted question is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csc_array, csr_array, vstack

from services.faq.meanings import Meanings
from services.faq.network import Network
from services.faq.owned_duplicates import OwnedDuplicates
from services.faq.retrieval import Postings
from services.faq.space import Float32s, Space

SIMILAR: Final = (
    "word",
    "character",
    "code",
    "title",
    "answer_word",
    "answer_code",
    "family_word",
    "family_character",
)
"""Cosines with the original, its title, its answer, and its family: those and the duplicates."""

SQUARED: Final = ("question_share", "code_share")
"""How much of the question's weight of words, and of code, the original has too."""

PRESENT: Final = ("title_share", "bm25")
"""How much of the title's weight the question has; BM25 divided by the sum of the question's idf, 0
to 2.2."""

NEAREST: Final = ("duplicate_best", "duplicate_mean", "view_best")
"""Cosine of words with the most similar known duplicate, the mean of the best three, and the cosine
with the most similar of all views: the original and its known duplicates. What is learnt of a view
holds for each of them, also where the second stage has seen only originals without duplicates."""

LEARNT: Final = ("topic", "network")

COUNTS: Final = ("duplicates", "without_duplicates")
"""ln(1 + number of known duplicates), and 1 where there is none: without, other signals are low."""

MEANT: Final = (
    "meaning",
    "meaning_answer",
    "meaning_duplicate_best",
    "meaning_duplicate_mean",
    "meaning_view_best",
    "meaning_family",
)
"""Where the model has a sentence encoder: the cosines of the question's vector with those of the original,
its answer, its duplicates and its family, as above."""

SIGNALS: Final = (*SIMILAR, *SQUARED, *PRESENT, *NEAREST, *COUNTS, *LEARNT)
"""Names of the signals, in the order of the first axis of what `compare` returns; `topic` says how
typical the text's terms are of the original's family, and of no other: see `Topics`; `network` says
so of their combinations, where the originals are few, and is 0 where they are not."""


@dataclass(frozen=True)
class Topics:
    """One linear classifier per original.

    Where the originals are few, those are fitted (support vectors): `weights` is float32 (width of
    the space, originals), and a text's signal is its margin. Where they are many, `weights` is
    (0, 0): the weights are the last kind of `Rows.present`, ln(1 + how often the term is in the
    family / how often it is in one on average), and the signal is the mean of those of the known
    terms. `bias`, float32 (originals,), is added to either.
    """

    weights: Float32s
    bias: Float32s

    @property
    def are_fitted(self) -> bool:
        """Whether they are the few originals' classifiers."""
        return self.weights.size > 0


@dataclass(frozen=True)
class Rows:
    """What is known of each original, as sparse rows over the columns of the space.

    An original's rows lie together, one for each name of `SIMILAR`, `SQUARED` and, with one more for
    the topic, `PRESENT`. `duplicates` has a row for each known duplicate; those from
    `owner_starts[i]` to `owner_starts[i + 1]` are original `i`'s. A row is multiplied with the text's
    weights, with their squares, or with 1 for each term of the text. `family_lengths`, float32
    (originals, 2), are those that the families' rows of words and characters had before they were
    divided by them.
    """

    similar: csr_array
    squared: csr_array
    present: csr_array
    duplicates: csr_array
    owner_starts: NDArray[np.int64]
    family_lengths: Float32s
    meanings: Meanings | None = None
    """Where the model has a sentence encoder."""


@dataclass(frozen=True)
class Scale:
    """What an original's rows depend on besides its texts; originals that are added keep it."""

    average_words: float
    """Known words of an original on average."""
    families: int
    """Number of originals that the space was made for."""
    family_entries: int
    """Entries that a family's row keeps of each kind, the heaviest."""


@dataclass(frozen=True)
class Index:
    """Everything that is known of the originals, in the form that a question is compared with."""

    space: Space
    topics: Topics
    network: Network | None
    """Fitted where the topics are."""
    rows: Rows
    postings: Postings
    scale: Scale

    @property
    def originals(self) -> int:
        """Number of originals."""
        return len(self.rows.owner_starts) - 1

    @cached_property
    def duplicates_of_all(self) -> OwnedDuplicates:
        """Whose the duplicates are, where the originals are few and all are compared."""
        return OwnedDuplicates.of(np.diff(self.rows.owner_starts))

    @cached_property
    def by_term(self) -> csc_array:
        """All rows term by term, (rows, 3 · width of the space).

        The first of the three parts has the rows of `SIMILAR` and then of the duplicates, the
        second those of `SQUARED`, the third those of `PRESENT` and the topic: each has rows of
        its own. Where the originals are few and all are compared, only the entries of the questions'
        terms are looked at: about a sixth of all for one question.
        """
        similar = vstack((self.rows.similar, self.rows.duplicates))
        return csc_array(block_diag((similar, self.rows.squared, self.rows.present), format="csr"))
