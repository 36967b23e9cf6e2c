"""A second stage that is learnt from the repository's own corpus, for an FAQ that has too few known
duplicates to learn one from.

What the second stage reads says how alike two texts are, not what they say. So what it learns of one FAQ
holds, as far as the two are alike, for another. The corpus is made to look like the FAQ: its originals keep
as many duplicates as those have. The others are asked.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.faq.data import DataSet, read_data
from services.faq.split import Positions, numbers_in_group

CORPUS: Final = Path(__file__).parent / "corpus"


@cache
def lender(folder: Path) -> DataSet:
    """Read what is learnt from; once, though a run trains twice and writes down what it was."""
    return read_data(folder)


def kept_alike(owners: Positions, counts: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Choose which duplicates stay when originals have as many as those of another FAQ.

    Of each original at least one goes, which can be asked.

    Args:
        owners: position of the original of each duplicate.
        counts: number of known duplicates of each original of the other.
        seed: same owners, counts and seed, same choice.
    """
    random = np.random.default_rng(seed)
    originals = int(owners.max(initial=-1)) + 1
    most = np.minimum(random.choice(counts, originals), np.bincount(owners) - 1)
    order = random.permutation(len(owners))
    stays = np.zeros(len(owners), np.bool_)
    stays[order] = numbers_in_group(owners[order]) < most[owners[order]]
    return stays
