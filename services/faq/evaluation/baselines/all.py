"""The baselines that stand beside a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from services.faq.evaluation.baselines.baseline import Baseline, KnownText, Score
from services.faq.evaluation.baselines.linear import MOST_ORIGINALS, linear_svm
from services.faq.evaluation.baselines.simple import (
    MOST_OF_WORDS,
    MOST_OF_WORDS_AND_CHARACTERS,
    largest_class,
    nearest_neighbour,
    plain_cosine,
)

PREDECESSOR: Final = "predecessor"
TREES: Final = 8_000
"""As many as the reference architecture's last model has."""
_MOST_PREDECESSOR_SCORES: Final = 1_000_000
"""At half a millisecond each, with 8,000 trees on two cores."""
_MOST_PREDECESSOR_DUPLICATES: Final = 20_000


def simple_baselines(seed: int) -> Sequence[Baseline]:
    """Return those that take seconds on a few thousand questions."""
    return (
        Baseline(
            "linear_svm",
            "linear SVM",
            partial(linear_svm, seed=seed),
            most_originals=MOST_ORIGINALS,
        ),
        Baseline(
            "nearest_neighbour",
            "TF-IDF nearest neighbour",
            nearest_neighbour,
            most_characters=MOST_OF_WORDS_AND_CHARACTERS,
        ),
        Baseline(
            "tfidf_cosine",
            "TF-IDF cosine",
            plain_cosine,
            most_characters=MOST_OF_WORDS,
            reads_duplicates=False,
        ),
        Baseline("largest_class", "largest class", largest_class),
    )


def predecessor_baseline(
    seed: int, trees: int = TREES, tree_done: Callable[[], object] = lambda: None
) -> Baseline:
    """Return the reference architecture's pipeline, which takes minutes with all its trees.

    Where LightGBM cannot be loaded, for want of the system's OpenMP, it says so instead.

    Args:
        seed: of its training pairs.
        trees: how many it grows.
        tree_done: called after each tree.
    """

    title = "predecessor's pipeline"
    # Imported when it is used: LightGBM needs a library of the system, and training does not.
    try:
        from services.faq.evaluation.baselines.predecessor import MATCH, predecessor
    except (ImportError, OSError) as error:
        return Baseline(
            PREDECESSOR, title, _never, unavailable=f"LightGBM cannot be loaded ({error})"
        )

    def fit(known: KnownText) -> Score:
        return predecessor(
            _sample(known, seed),
            trees=trees,
            seed=seed,
            threads=0,
            tree_done=tree_done,
        )

    return Baseline(
        PREDECESSOR,
        title,
        fit,
        is_probability=True,
        most_scores=_MOST_PREDECESSOR_SCORES,
        note=f"{trees:,} trees, {MATCH} pairs for each of at most "
        f"{_MOST_PREDECESSOR_DUPLICATES:,} duplicates",
    )


def _never(known: KnownText) -> Score:
    raise NotImplementedError


def _sample(known: KnownText, seed: int) -> KnownText:
    """Return a sample of the duplicates, where there are very many."""
    chosen = np.random.default_rng(seed).permutation(len(known.duplicates))
    kept = np.sort(chosen[:_MOST_PREDECESSOR_DUPLICATES])
    return KnownText(known.originals, [known.duplicates[each] for each in kept], known.owners[kept])
