"""Terms are cut so that people who write the same thing differently still share them."""

from __future__ import annotations

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


def test_character_grams_stay_inside_words() -> None:
    assert tokens.character_grams("Map x") == [" ma", "map", "ap ", " x "]


def test_character_grams_of_a_very_long_word_are_bounded() -> None:
    assert len(tokens.character_grams("x" * 5_000)) == 40


def test_code_terms_are_identifiers_and_operators_of_code() -> None:
    assert tokens.code_terms("", "xs.map(x => x)") == ["xs", "map", "x", "=>", "x"]


def test_code_terms_of_prose_are_what_looks_like_code() -> None:
    prose = "I call JSON.parse and forEach or foo() with ==="
    assert tokens.code_terms(prose, "") == ["json", "parse", "foreach", "foo", "==="]
