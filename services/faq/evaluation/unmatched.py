"""Questions that repeat none of the originals: a model is trained without some originals and is
then asked about them."""

from __future__ import annotations

from typing import Final

import numpy as np

from services.faq.evaluation.abstention import NoMatch, no_match
from services.faq.evaluation.comparison import ask
from services.faq.evaluation.outcomes import NO_MATCH
from services.faq.evaluation.questions import HeldOut, without_originals
from services.faq.evaluation.withholding import Trainer

WITHHELD: Final = 0.2
"""Share of the originals that the model must not know."""


def ask_unmatched(held_out: HeldOut, trainer: Trainer, seed: int) -> NoMatch | None:
    """Train without a fifth of the originals and ask all held-out questions.

    Those of a withheld original have no match, and are as hard to tell as such questions get: they
    are of the same subject as the originals that stay. None where either kind has no question.

    Args:
        held_out: the questions, and what may be learnt from.
        trainer: trains the model.
        seed: of what is withheld, and of the intervals.

    Raises:
        TooLittleData: what is left is too little to train on.
    """
    originals = len(held_out.data.originals)
    withheld = np.zeros(originals, bool)
    withheld[np.random.default_rng(seed).permutation(originals)[: round(WITHHELD * originals)]] = (
        True
    )
    unmatched = withheld[held_out.owners]
    if unmatched.all() or not unmatched.any():
        return None
    training = without_originals(held_out.training, withheld)
    owners = np.where(unmatched, NO_MATCH, (np.cumsum(~withheld) - 1)[held_out.owners])
    outcomes = ask(trainer(training), held_out.texts, owners, len(training.originals))
    return no_match(outcomes.only(~unmatched), outcomes.only(unmatched), seed)
