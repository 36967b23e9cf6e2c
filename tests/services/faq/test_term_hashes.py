"""Grams are hashed out of their text as the strings that they are."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from services.faq.term_hashes import gram_hashes, string_hashes

letters = st.characters(exclude_characters="\0") | st.sampled_from("ab ü配😀\ud800")
texts = st.lists(st.text(letters, max_size=12), max_size=5)


def grams_of(text: str) -> list[str]:
    padded = f" {text} "
    return [padded[at - 1 : at + 2] for at in range(1, len(padded) - 1) if padded[at] != " "]


@given(texts)
@example(["", "  ", "a", "", "😀😀😀 b"])
def test_a_gram_has_the_hash_of_its_string(several: list[str]) -> None:
    expected = [gram for text in several for gram in grams_of(text)]
    assert gram_hashes(several).tolist() == string_hashes(expected).tolist()


def test_grams_are_characters_with_their_neighbours() -> None:
    expected = string_hashes([" ma", "map", "ap ", " x "])
    assert gram_hashes(["map x"]).tolist() == expected.tolist()
