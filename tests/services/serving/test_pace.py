"""A model's pace is what its batches took lately, and a wait is predicted with some caution."""

from __future__ import annotations

import pytest

from services.serving.pace import CAUTION, SMOOTHING, Pace


@pytest.fixture
def pace() -> Pace:
    pace = Pace()
    pace.learn(0.01)
    return pace


def test_the_first_batch_is_all_that_is_known(pace: Pace) -> None:
    assert pace.seconds_per_item == 0.01


def test_a_further_batch_has_its_weight(pace: Pace) -> None:
    pace.learn(0.02)
    assert pace.seconds_per_item == pytest.approx(0.01 + SMOOTHING * 0.01)


def test_a_wait_is_that_of_all_items_in_front_and_somewhat_more(pace: Pace) -> None:
    assert pace.wait_seconds(5) == pytest.approx(0.05 * CAUTION)


def test_nothing_is_known_of_a_wait_before_the_first_batch() -> None:
    assert Pace().wait_seconds(5) == 0


@pytest.mark.parametrize(("seconds", "items"), [(0.055, 5), (0.001, 1)])
def test_as_many_items_are_begun_as_fit_but_always_one(
    pace: Pace, seconds: float, items: int
) -> None:
    assert pace.items_within(seconds) == items


def test_before_the_first_batch_one_item_is_tried() -> None:
    assert Pace().items_within(100) == 1
