"""Terms are cut so that people who write the same thing differently still share them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq import tokens


def test_words_are_lower_case_stems() -> None:
    assert tokens.words("Arrays, sorted; Sorting classes") == ["array", "sort", "sort", "class"]


def test_short_words_and_double_s_are_kept() -> None:
    assert tokens.words("this is less bass") == ["this", "is", "less", "bass"]


def test_operators_are_words() -> None:
    assert tokens.words("a === b => ...c") == ["a", "===", "b", "=>", "...", "c"]


def test_camel_case_counts_whole_and_in_parts() -> None:
    assert tokens.words("getElementById") == ["getelementbyid", "get", "element", "by", "id"]


def test_words_of_other_scripts_are_words() -> None:
    assert tokens.words("сортировать массив 配列") == ["сортировать", "массив", "配列"]


def test_pairs_are_neighbours() -> None:
    assert list(tokens.pairs(["a", "b", "c"])) == ["a b", "b c"]


def test_characters_are_those_of_words_in_lower_case() -> None:
    assert tokens.characters("  Map\n x ") == "map x"


def test_characters_of_a_very_long_word_are_bounded() -> None:
    assert tokens.characters("x" * 5_000 + " y") == "x" * 40 + " y"


def test_code_terms_are_identifiers_and_operators_of_code() -> None:
    assert tokens.code_terms("", "xs.map(x => x)") == ["xs", "map", "x", "=>", "x"]


def test_code_terms_of_prose_are_what_looks_like_code() -> None:
    prose = "I call JSON.parse and forEach or foo() with ==="
    assert tokens.code_terms(prose, "") == ["json", "parse", "foreach", "foo", "==="]


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("an XMLhttpRequest", ["httprequest"]),
        ("3abc.def and 3call(", ["abc", "def", "call"]),
        ("x=>y.z and ${a.b}", ["=>", "y", "z", "${", "a", "b"]),
        ("wordWord wordword Word word_word", ["wordword"]),
        ("the end.Another end. Not", ["end", "another"]),
        ("call( Call( calls, Calls.", ["call", "call"]),
        ("why?? Not! so...", ["??", "..."]),
    ],
)
def test_code_in_prose_begins_where_a_name_can(prose: str, found: list[str]) -> None:
    assert tokens.code_terms(prose, "") == found


@given(st.text(st.sampled_from("aBß中1_ .()=!&?$\n") | st.characters()))
def test_leaving_out_plain_words_changes_no_code_in_prose(prose: str) -> None:
    found = [
        part.lower()
        for term in tokens._CODE_IN_PROSE.findall(prose)
        for part in tokens._CODE.findall(term)
    ]
    assert tokens.code_terms(prose, "") == found
