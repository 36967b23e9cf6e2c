"""What a second stage is learnt from that is borrowed from another FAQ."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.borrowed import kept_alike
from services.faq.features import FEATURES
from services.faq.training import borrowed
from tests.services.faq.conftest import Small


def test_without_duplicates_there_the_lender_keeps_none() -> None:
    assert not kept_alike(np.arange(60) % 6, np.zeros(9, np.int64), seed=0).any()


def test_the_lender_keeps_as_many_as_there_are_there() -> None:
    owners = np.repeat(np.arange(400), 10)
    kept = np.bincount(owners[kept_alike(owners, np.asarray([0, 0, 0, 2]), seed=0)], minlength=400)
    assert set(kept.tolist()) == {0, 2}
    assert np.mean(kept == 2) == pytest.approx(0.25, abs=0.07)


def test_one_of_each_original_is_left_to_be_asked() -> None:
    owners = np.asarray([0, 0, 0, 1, 3, 3])
    stays = kept_alike(owners, np.full(5, 100), seed=0)
    assert np.bincount(owners[~stays]).tolist() == [1, 1, 0, 1]


def test_the_same_seed_keeps_the_same() -> None:
    owners = np.repeat(np.arange(40), 10)
    first, again = (kept_alike(owners, np.asarray([0, 1, 3]), seed=5) for _ in range(2))
    assert (first == again).all()


def test_what_is_asked_of_the_lender_sees_no_duplicate_if_there_is_none(small: Small) -> None:
    known = small.known
    held = borrowed(known, known.with_only(np.zeros(0, np.int64)), seed=0)
    assert sorted(held.questions[held.is_whole]) == list(range(len(known.duplicates)))
    assert not held.features[FEATURES.index("duplicates")].any()
    assert held.is_alternative.all()
    assert held.is_match.any(axis=1).all()


def test_where_no_original_has_classifiers_the_lenders_have_none_either(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.faq.training.MOST_FITTED_TOPICS", len(small.known.originals) - 1)
    known = small.known.with_only(np.arange(40))
    held = borrowed(known, known.with_only(np.zeros(0, np.int64)), seed=0)
    assert not held.features[FEATURES.index("network")].any()
