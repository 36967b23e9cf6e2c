"""An id that is a text has one number, whatever else is in its table; a whole number stays one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.source_ids import LONGEST_ID, is_whole_number, normalised, number_of


@given(st.integers(0, 10**18 - 1))
def test_a_whole_number_is_itself(number: int) -> None:
    assert number_of(normalised(f" {number} ")) == number


@given(st.text("abcKB-_0123456789é ", min_size=1, max_size=40).filter(str.strip))
def test_a_text_becomes_a_number_that_data_and_browsers_can_keep(text: str) -> None:
    name = normalised(text)
    if not is_whole_number(name):
        assert 2**52 <= number_of(name) < 2**53
        assert float(number_of(name)) == number_of(name)


def test_the_number_is_the_same_for_ever() -> None:
    """A model knows it, and so do golden sets: another one would make all of them strangers."""
    assert number_of("KB-0042") == 7719024382037759
    assert number_of("1" * 19) != int("1" * 19)


def test_ids_that_look_the_same_are_the_same_and_case_counts() -> None:
    assert normalised("  Zu\u0308rich \t 1 ") == normalised("Z\u00fcrich 1")
    assert number_of("KB-1") != number_of("kb-1")
    assert number_of("0042") == number_of("42")


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_ID + 1), "a\x1b[31m", "a\u202eb"])
def test_what_cannot_be_shown_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="must have 1 to 200 characters that can be printed"):
        normalised(text)
