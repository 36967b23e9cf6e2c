"""Only as many requests are prepared as the model takes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.preparing import Place, Preparing


@pytest.fixture
def begun() -> list[str]:
    """The requests whose preparation has begun."""
    return []


@pytest.fixture
def places(begun: list[str]) -> dict[str, Place]:
    """Five requests where two are prepared at once."""
    preparing = Preparing(2)
    return {name: preparing.take(lambda name=name: begun.append(name)) for name in "abcde"}


def test_the_first_begin_at_once_and_the_others_wait(
    places: dict[str, Place], begun: list[str]
) -> None:
    assert begun == ["a", "b"]
    assert len(places) == 5


def test_the_next_one_begins_when_one_is_scored(places: dict[str, Place], begun: list[str]) -> None:
    places["b"].end()
    assert begun == ["a", "b", "c"]
    places["a"].end()
    assert begun == ["a", "b", "c", "d"]


def test_one_that_is_over_before_its_turn_is_never_prepared(
    places: dict[str, Place], begun: list[str]
) -> None:
    places["c"].end()
    assert begun == ["a", "b"], "its place was not taken"
    places["a"].end()
    assert begun == ["a", "b", "d"]


def test_a_place_is_given_back_once(places: dict[str, Place], begun: list[str]) -> None:
    for _ in range(3):
        places["a"].end()
    assert begun == ["a", "b", "c"]


@given(most=st.integers(1, 4), ends=st.lists(st.integers(0, 9), max_size=30))
def test_never_more_than_so_many_and_all_in_their_order(most: int, ends: list[int]) -> None:
    begun: list[int] = []
    preparing = Preparing(most)
    places = [preparing.take(lambda number=number: begun.append(number)) for number in range(10)]
    over: set[int] = set()
    for number in [*ends, *range(10)]:
        assert len(set(begun) - over) == min(most, 10 - len(over)), "nobody waits in vain"
        over.add(number)
        places[number].end()
    assert begun == sorted(begun)
