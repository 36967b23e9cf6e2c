"""Training the two stages, without leaks: what a question is scored with never contains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from services.faq.borrowed import kept_alike
from services.faq.classifier import Float64s, PairClassifier
from services.faq.encoder import Encoder
from services.faq.fit_calibration import fit_calibrated
from services.faq.fit_classifier import no_match
from services.faq.fit_index import MOST_FITTED_TOPICS, fit_index
from services.faq.index import Index
from services.faq.known import Known, Progress
from services.faq.low_signal import PLACES, low_signal_threshold
from services.faq.metrics import Accuracy, accuracy, places_of
from services.faq.ranking import Scorer, best_first, pairs_of
from services.faq.retrieval import CANDIDATES, Candidates
from services.faq.space import Float32s
from services.faq.split import Positions, numbers_in_group, split_folds

FOLDS: Final = 5
MOST_PAIRS: Final = 500_000
"""Most pairs that the classifier is fitted on; of more duplicates, a seeded sample is taken."""
THINNED_FOLDS: Final = 2
"""Folds whose questions are also asked of an index with fewer duplicates."""
KEPT: Final = (0, 1, 2, 4)
"""How many duplicates an original keeps that is thinned out; every second one is."""
CALIBRATION_PARTS: Final = 2
"""Parts of the questions that are calibrated each with the weights which the others taught."""
MOST_FOLDED: Final = 50_000
"""Most duplicates that are left out fold by fold; of more, only the sample is left out, once."""


class TooLittleData(Exception):
    """There are too few questions to train on; the message is one line."""


@dataclass(frozen=True)
class Trained:
    """A trained pipeline, and how its second stage did on the out-of-fold features of training."""

    scorer: Scorer
    cross_validated: Accuracy


@dataclass(frozen=True)
class OutOfFold:
    """Pair features of training duplicates, each from an index fitted without its fold.

    Most duplicates are there twice: with all of their text, and with their title alone, as people ask
    in one line too. Those of some folds are there twice as often: asked of an index that has few
    duplicates of every second original, or none, so that the second stage learns what the signals
    of such an original say.
    """

    features: Float32s
    """(features, questions, candidates)."""
    candidates: Candidates
    """(questions, candidates)."""
    is_alternative: NDArray[np.bool_]
    """Whether the candidate is one that questions are asked about: it has a duplicate in the data, be
    it known to the index or not, (questions, candidates)."""
    questions: Positions
    """Which duplicate each is."""
    owners: Positions
    """Position of its original."""
    is_whole: NDArray[np.bool_]
    """Whether it is all of the text."""
    is_thinned: NDArray[np.bool_]
    """Whether it was asked of an index with fewer duplicates."""

    def only(self, chosen: NDArray[np.bool_]) -> OutOfFold:
        """Return some of the questions."""
        return OutOfFold(
            features=self.features[:, chosen],
            candidates=self.candidates[chosen],
            is_alternative=self.is_alternative[chosen],
            questions=self.questions[chosen],
            owners=self.owners[chosen],
            is_whole=self.is_whole[chosen],
            is_thinned=self.is_thinned[chosen],
        )

    @property
    def is_match(self) -> NDArray[np.bool_]:
        """Whether the candidate is the right original, (questions, candidates)."""
        return self.candidates == self.owners[:, np.newaxis]


def train(
    known: Known,
    seed: int,
    progress: Progress,
    encoder: Encoder | None = None,
    lender: Known | None = None,
) -> Trained:
    """Train the pipeline on all of the known texts.

    The first stage is fitted without each fifth of the duplicates, and without some of them a second
    time with fewer duplicates (of many: once without a sample). Of those left out come the features
    that the second stage learns from. It is fitted once more with all of them, to be served.
    One thread only: the barriers of the linear algebra libraries cost more than they gain here.

    Args:
        known: the texts.
        seed: same texts and seed, same model.
        progress: shows the progress of an iteration, as tqdm does.
        encoder: what the texts' meanings are from, if they have some.
        lender: texts that the second stage, its calibration and the low-signal threshold are learnt
            from in the place of these, which then may have no duplicate at all.

    Raises:
        TooLittleData: there are fewer than two originals or, without a lender, ten duplicates.
    """
    if (lender is None and len(known.duplicates) < 2 * FOLDS) or len(known.originals) < 2:
        raise TooLittleData(
            f"{len(known.originals)} originals with {len(known.duplicates)} duplicates to train on "
            f"are too few; at least 2 with {2 * FOLDS} are needed"
        )
    with threadpool_limits(limits=1):
        held = borrowed(lender, known, seed) if lender else out_of_fold(known, seed, progress)
        classifier = fit_calibrated(
            held.features,
            held.is_match,
            held.is_alternative,
            parts=held.questions % CALIBRATION_PARTS,
            is_asked=~held.is_thinned,
        )
        held = held.only(~held.is_thinned)
        scores = classifier.probabilities(held.features)
        ranked = np.take_along_axis(held.candidates, best_first(scores), axis=1)
        places = places_of(ranked, held.owners, len((lender or known).originals))
        scorer = Scorer(
            index=fit_index(known, seed, progress),
            classifier=classifier,
            low_signal_below=_low_signal(classifier, held, scores, places),
            encoder=encoder,
        )
    return Trained(scorer, accuracy(places[held.is_whole], held.owners[held.is_whole]))


def _low_signal(
    classifier: PairClassifier, held: OutOfFold, scores: Float64s, places: Positions
) -> float:
    """Learn the threshold from the questions, and from the same without their right originals."""
    unmatched = no_match(held.features, held.is_match, held.is_alternative)
    none = classifier.probabilities(unmatched.features).max(axis=1)
    return low_signal_threshold(
        np.concatenate((scores.max(axis=1), none)),
        np.concatenate((places < PLACES, np.zeros(len(none), np.bool_))),
        np.concatenate((np.ones(len(scores)), unmatched.weights)),
    )


def borrowed(lender: Known, known: Known, seed: int) -> OutOfFold:
    """Compute the pair features of a lender's duplicates, where it knows as few as `known` does.

    Its originals keep as many duplicates as those of `known` have, and have fitted classifiers if those
    have some. The duplicates that are withheld are asked.
    """
    counts = np.bincount(known.owners, minlength=len(known.originals))
    stays = kept_alike(lender.owners, counts, seed)
    are_few = len(known.originals) <= MOST_FITTED_TOPICS
    index = fit_index(lender.with_only(np.flatnonzero(stays)), seed, are_few=are_few)
    return _asked(index, lender, np.flatnonzero(~stays))


def out_of_fold(known: Known, seed: int, progress: Progress) -> OutOfFold:
    """Compute the pair features of the duplicates (of a sample, if there are many)."""
    parts: list[OutOfFold] = []
    for number, (left_out, asked) in enumerate(progress(_parts(known, seed), "folds")):
        if not len(asked):
            continue
        kept = alike(known.owners, left_out, seed + number)
        parts.append(_asked(fit_index(known.with_only(kept), seed, progress), known, asked))
        if number < THINNED_FOLDS and _are_folded(known):
            thin = kept[thinned(known.owners[kept], seed + number)]
            index = fit_index(known.with_only(thin), seed, progress)
            parts.append(_asked(index, known, asked, is_thinned=True))
    return OutOfFold(
        features=np.concatenate([part.features for part in parts], axis=1),
        candidates=np.concatenate([part.candidates for part in parts]),
        is_alternative=np.concatenate([part.is_alternative for part in parts]),
        questions=np.concatenate([part.questions for part in parts]),
        owners=np.concatenate([part.owners for part in parts]),
        is_whole=np.concatenate([part.is_whole for part in parts]),
        is_thinned=np.concatenate([part.is_thinned for part in parts]),
    )


def alike(owners: Positions, left_out: Positions, seed: int) -> Positions:
    """Return which duplicates an index is fitted on, so that counts do not tell what is left out.

    Of an original with fewer duplicates than there are folds, some folds leave one out and others
    none. Where that original were the only one with fewer than the data has, its count would say that
    it is the right one: with one duplicate for each, that no known duplicate is like the question. So
    every original loses as many as those that are asked about: a fold's share, and at least one.

    Args:
        owners: position of the original of each duplicate.
        left_out: the duplicates that are asked, or may be.
        seed: same owners and seed, same choice.
    """
    random = np.random.default_rng(seed)
    kept = random.permutation(np.setdiff1d(np.arange(len(owners)), left_out))
    originals = int(owners.max(initial=0)) + 1
    share = np.maximum(np.bincount(owners, minlength=originals) // FOLDS, 1)
    more = np.maximum(share - np.bincount(owners[left_out], minlength=originals), 0)
    return np.sort(kept[numbers_in_group(owners[kept]) >= more[owners[kept]]])


def thinned(owners: Positions, seed: int) -> NDArray[np.bool_]:
    """Choose which duplicates stay when every second original loses all but a few of its own.

    Args:
        owners: position of the original of each duplicate.
        seed: same owners and seed, same choice.
    """
    random = np.random.default_rng(seed)
    originals = int(owners.max(initial=0)) + 1
    most = np.where(random.random(originals) < 0.5, random.choice(KEPT, originals), len(owners))
    order = np.argsort(owners + random.random(len(owners)))
    stays = np.zeros(len(owners), np.bool_)
    stays[order] = numbers_in_group(owners[order]) < most[owners[order]]
    return stays


def _asked(index: Index, known: Known, asked: Positions, *, is_thinned: bool = False) -> OutOfFold:
    """Compute the features of some duplicates and, where they have more than that, of their titles."""
    titled = [
        each
        for each in asked
        if not np.array_equal(known.titles[each].words, known.duplicates[each].words)
    ]
    texts = [known.duplicates[each] for each in asked] + [known.titles[each] for each in titled]
    titled = np.asarray(titled, np.int64)
    questions = np.concatenate((asked, titled))
    meanings = known.meanings and known.meanings.asked(asked, titled)
    pairs = pairs_of(index, texts, meanings)
    is_asked_about = np.bincount(known.owners, minlength=len(known.originals)) > 0
    return OutOfFold(
        features=pairs.features,
        candidates=pairs.candidates,
        is_alternative=is_asked_about[pairs.candidates],
        questions=questions,
        owners=known.owners[questions],
        is_whole=np.arange(len(questions)) < len(asked),
        is_thinned=np.full(len(questions), is_thinned),
    )


def _are_folded(known: Known) -> bool:
    return len(known.duplicates) <= MOST_FOLDED


def _parts(known: Known, seed: int) -> list[tuple[Positions, Positions]]:
    """Return what each index is fitted without, and which of it is asked."""
    duplicates = len(known.duplicates)
    candidates = min(len(known.originals), CANDIDATES)
    most = max(MOST_PAIRS // (2 * candidates), 2 * FOLDS)
    sample = np.sort(np.random.default_rng(seed).permutation(duplicates)[:most])
    if not _are_folded(known):
        return [(sample, sample)]
    folds = split_folds(known.owners, FOLDS, seed)
    return [(fold, fold[np.isin(fold, sample)]) for fold in folds]
