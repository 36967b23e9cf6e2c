"""What is asked is never learnt from, and what is left out is left out whole."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.evaluation.questions import HeldOut, at_most, held_out, without_originals
from tests.services.faq.conftest import Small


def test_nothing_that_is_held_out_may_be_learnt_from(small: Small) -> None:
    some = held_out(small.data, small.split, 0, most=20)
    assert len(some.asked) == len(some.texts) == len(some.owners) == 20
    assert np.isin(some.asked, small.split.held_out).all()
    learnt = {duplicate.id for duplicate in some.training.duplicates}
    kept = {small.data.duplicates[number].id for number in small.split.training}
    assert learnt == kept


def test_the_seed_chooses_the_sample(small: Small) -> None:
    chosen = [held_out(small.data, small.split, seed, most=20).asked.tolist() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_known_duplicates_are_those_that_may_be_learnt_from(questions: HeldOut) -> None:
    for owner, count in zip(questions.owners, questions.known_duplicates, strict=True):
        assert count == sum(each.owner == owner for each in questions.training.duplicates)


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_each_original_keeps_at_most_so_many_duplicates(small: Small, count: int) -> None:
    all_counts = np.bincount(small.data.owners, minlength=31)
    kept = at_most(small.data, count, 0)
    assert np.bincount(kept.owners, minlength=31).tolist() == np.minimum(all_counts, count).tolist()
    assert len(kept.originals) == 31


def test_what_is_kept_of_a_few_is_kept_of_more(small: Small) -> None:
    few, more = ({each.id for each in at_most(small.data, count, 4).duplicates} for count in (2, 5))
    assert few < more


def test_an_original_goes_with_its_duplicates_and_the_others_move_up(small: Small) -> None:
    gone = np.isin(np.arange(31), [0, 5, 30])
    left = without_originals(small.data, gone)
    ids = [
        original.id for original, goes in zip(small.data.originals, gone, strict=True) if not goes
    ]
    assert [original.id for original in left.originals] == ids
    owner_of = {each.id: small.data.originals[each.owner].id for each in small.data.duplicates}
    assert {each.id: left.originals[each.owner].id for each in left.duplicates} == {
        number: owner for number, owner in owner_of.items() if owner in ids
    }
