"""Texts are cut as the encoder was trained on, or it reads something else than was written."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.wordpiece import FIRST, LAST, UNKNOWN, WordPiece, words

SMALL = WordPiece(
    [UNKNOWN, FIRST, LAST, "un", "##aff", "##able", "array", "##s", "'", "==", "=", "a", "cafe"]
)
REFERENCE = Path(__file__).parent / "wordpiece_reference.jsonl"


def pieces(text: str, most: int = 64) -> list[str]:
    return [SMALL.pieces[number] for number in SMALL.encode(text, most)]


def test_a_word_is_cut_into_the_longest_pieces_from_its_start() -> None:
    assert pieces("unaffable arrays") == [FIRST, "un", "##aff", "##able", "array", "##s", LAST]


def test_a_word_of_which_a_part_is_unknown_is_unknown_as_a_whole() -> None:
    assert pieces("unaffably") == [FIRST, UNKNOWN, LAST]


def test_punctuation_is_by_itself() -> None:
    assert pieces("array's==a") == [FIRST, "array", "'", UNKNOWN, "=", "=", "a", LAST]


def test_capitals_and_accents_make_no_difference() -> None:
    assert pieces("CAFÉ Array") == pieces("cafe array")


def test_names_of_special_pieces_are_text() -> None:
    assert pieces("[SEP]").count(LAST) == 1


@pytest.mark.parametrize("most", [2, 3, 8])
def test_no_more_pieces_than_asked_for(most: int) -> None:
    found = pieces("array " * 50, most)
    assert len(found) == most
    assert (found[0], found[-1]) == (FIRST, LAST)


def test_a_word_without_end_costs_no_time() -> None:
    began = time.process_time()
    assert pieces("a" * 1_000_000) == [FIRST, UNKNOWN, LAST]
    assert time.process_time() - began < 5


@given(st.text())
def test_any_text_is_cut(text: str) -> None:
    found = SMALL.encode(text, 16)
    assert 2 <= len(found) <= 16
    assert not any(set(word) & set(" \t\n\0") for word in words(text))


@pytest.mark.parametrize(
    ("text", "expected"), [json.loads(line) for line in REFERENCE.read_text().splitlines()]
)
def test_the_pieces_are_those_of_the_reference(
    minilm_vocabulary: WordPiece, text: str, expected: list[int]
) -> None:
    """Recorded from Hugging Face's tokenizers 0.23.3 with the `tokenizer.json` of all-MiniLM-L6-v2."""
    assert minilm_vocabulary.encode(text, 64) == expected
