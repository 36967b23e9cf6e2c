"""Terms are told apart by their hashes, and tables keep each text's own."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq import terms
from services.faq.terms import (
    KIND_BITS,
    Cut,
    TermTable,
    hashed,
    hashed_all,
    hashed_table,
    joined,
    table_of,
)

words = st.lists(st.text(max_size=6), max_size=8)
cuts = st.builds(Cut, words, st.text(max_size=12) | st.text("ab ü", max_size=12), words)


def test_a_term_has_the_same_hash_for_ever() -> None:
    """Model folders hold hashes: they must mean the same on every machine and in every version."""
    assert hashed(Cut(["array"], "", [])).hashes.tolist() == [3_127_270_034_900_707_149]


def test_short_terms_all_have_hashes_of_their_own() -> None:
    every = ["".join(letters) for letters in product("abcdefghijklmnopqrstuvwxyz01", repeat=3)]
    every += [f"{one} {other}" for one, other in product(every[:300], every[:300])]
    assert len(hashed(Cut(every, "", [])).hashes) == len(every)


def test_the_order_and_the_length_of_letters_matter() -> None:
    long = "x" * 300
    every = ["ab", "ba", "a", "aa", "aaa", "", long, long + "x", "ü", "u\u0308"]
    assert len(hashed(Cut(every, "", [])).hashes) == len(every)


@given(cuts)
def test_terms_are_counted_by_kind(cut: Cut) -> None:
    text = hashed(cut)
    assert (np.diff(text.hashes.astype(object)) > 0).all()
    padded = f" {cut.characters} "
    grams = [padded[at - 1 : at + 2] for at in range(1, len(padded) - 1) if padded[at] != " "]
    for kind, strings in enumerate((cut.words, grams, cut.code)):
        counts = text.counts[text.hashes >> KIND_BITS == kind]
        expected = Counter(string if kind == 1 else string.replace("\0", " ") for string in strings)
        assert sorted(counts.tolist()) == sorted(expected.values())


def test_equal_terms_of_neighbours_are_counted_apart() -> None:
    """As those of texts of one word are, the last term of the one being the first of the next."""
    empty, one, many = Cut([], "", []), Cut(["a"], "", []), Cut(["a"] * 70_000, "", [])
    texts = [empty, one, one, empty, many, one, empty]
    counts = [terms.counts.tolist() for terms in hashed_all(texts)]
    assert counts == [[], [1], [1], [], [65_535], [1], []]


@given(st.lists(cuts, max_size=6))
def test_a_table_holds_what_each_text_has_alone(texts: list[Cut]) -> None:
    table = hashed_table(texts)
    assert len(table) == len(texts)
    for row, text in zip(table, texts, strict=True):
        np.testing.assert_array_equal(row.hashes, hashed(text).hashes)
        np.testing.assert_array_equal(row.counts, hashed(text).counts)


@pytest.fixture
def table() -> TermTable:
    return hashed_table([Cut(["a"] * number, "", ["b", str(number)]) for number in range(7)])


def same(one: TermTable, other: TermTable) -> bool:
    return all(
        np.array_equal(left, right)
        for left, right in zip(one.entries(), other.entries(), strict=True)
    )


def test_some_texts_of_a_table_are_a_table(table: TermTable) -> None:
    chosen = np.asarray([5, 0, 5])
    assert same(table.take(chosen), table_of([table[5], table[0], table[5]]))
    assert same(table[2:4], table_of([table[2], table[3]]))


@pytest.mark.parametrize("spilled", [0, 1 << 20])
def test_tables_are_joined_in_memory_and_in_a_file(
    table: TermTable, spilled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "SPILLED_ENTRIES", spilled)
    halves = [hashed_table([]), table_of(list(table[:3])), table_of(list(table[3:]))]
    assert same(joined(halves), table)


def test_pieces_are_all_texts_in_order(table: TermTable) -> None:
    pieces = list(table.pieces(5))
    assert len(pieces) > 2
    assert same(table_of([text for piece in pieces for text in piece]), table)
