"""The 2018 reference architecture's FAQ pipeline, rebuilt from its published description.

Source: the notebooks 00_Data_Prep and 01_Create_Model of `Azure/MLAKSDeployment` (commit a1b1dda),
as described in their text: two TF-IDF blocks, one per side of the pair, and a gradient-boosted
classifier with 8,000 trees on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from services.faq.classifier import Float64s
from services.faq.evaluation.baselines.baseline import KnownText, Score

MATCH: Final = 20
"""Training pairs for each duplicate: one with its original, the rest with others."""

_MOST_PAIRS: Final = 1 << 17
"""Most pairs that are scored at once, which bounds the memory that it takes."""

Positions = NDArray[np.int64]
TreeDone = Callable[[], object]


class PredecessorPipeline:
    """Two TF-IDF blocks and a classifier of pairs, as the notebook fitted them.

    Args:
        originals: text of each original, cleaned and in lower case.
        trees: how many trees the classifier grows.
        seed: of the pairs and of the classifier.
        threads: that it is fitted and asked with; 0 for OpenMP's own choice (`OMP_NUM_THREADS`).
    """

    def __init__(self, originals: Sequence[str], *, trees: int, seed: int, threads: int) -> None:
        self._originals = list(originals)
        self._seed = seed
        self.asked_terms = TfidfVectorizer()
        self.original_terms = TfidfVectorizer()
        self.classifier = LGBMClassifier(
            n_estimators=trees, min_child_samples=20, verbose=-1, random_state=seed, n_jobs=threads
        )

    def fit(
        self, duplicates: Sequence[str], owners: Positions, tree_done: TreeDone = lambda: None
    ) -> PredecessorPipeline:
        """Train on each duplicate with its original and 19 other originals, classes balanced.

        Args:
            duplicates: their texts, cleaned and in lower case.
            owners: position of the original of each.
            tree_done: called after each tree.
        """
        asked, known = self._training_pairs(owners)
        labels = (owners[asked] == known).astype(np.int64)
        # Fitted on the text of every pair, as the notebook did: a text that is in more pairs
        # counts more often.
        self.asked_terms.fit([duplicates[number] for number in asked])
        self.original_terms.fit([self._originals[number] for number in known])
        pairs = _beside(
            csr_array(self.asked_terms.transform(duplicates))[asked],
            csr_array(self.original_terms.transform(self._originals))[known],
        )
        weights = len(labels) / (2 * np.bincount(labels)[labels])
        callbacks: list[Any] = [lambda _: tree_done()]
        self.classifier.fit(pairs, labels, sample_weight=weights, callbacks=callbacks)
        return self

    def probabilities(self, texts: Sequence[str]) -> Float64s:
        """Return the probability of each pair, float64 (texts, originals).

        Args:
            texts: cleaned and in lower case.
        """
        originals = len(self._originals)
        known = csr_array(self.original_terms.transform(self._originals))
        rows = max(1, _MOST_PAIRS // originals)
        parts: list[Float64s] = []
        for start in range(0, len(texts), rows):
            some = texts[start : start + rows]
            asked = csr_array(self.asked_terms.transform(some))
            left = np.repeat(np.arange(len(some)), originals)
            right = np.tile(np.arange(originals), len(some))
            predicted: Any = self.classifier.predict_proba(_beside(asked[left], known[right]))
            parts.append(predicted[:, 1].reshape(len(some), originals))
        return np.concatenate(parts)

    def _training_pairs(self, owners: Positions) -> tuple[Positions, Positions]:
        """Return the duplicate and the original of each pair."""
        random = np.random.default_rng(self._seed)
        everyone = np.arange(len(self._originals))
        others = min(MATCH - 1, len(everyone) - 1)
        known = [
            np.concatenate(
                ([owner], random.choice(np.delete(everyone, owner), others, replace=False))
            )
            for owner in owners
        ]
        return np.repeat(np.arange(len(owners)), others + 1), np.concatenate(known)


def _beside(left: csr_array, right: csr_array) -> csr_matrix:
    """Return rows side by side, as the matrix that LightGBM takes without a copy."""
    return csr_matrix(hstack([left, right]))


def predecessor(
    known: KnownText, *, trees: int, seed: int, threads: int, tree_done: TreeDone = lambda: None
) -> Score:
    """Fit the pipeline on the known duplicates.

    The texts are those that all baselines get, in lower case: code blocks, which the notebook
    removed, are not in them, and neither is the notice that names the original, which it kept.
    """
    pipeline = PredecessorPipeline(
        _lower(known.originals), trees=trees, seed=seed, threads=threads
    ).fit(_lower(known.duplicates), known.owners, tree_done)
    return lambda asked: pipeline.probabilities(_lower(asked))


def _lower(texts: Sequence[str]) -> list[str]:
    return [text.lower() for text in texts]
