"""Each signal has the value that its definition gives, on texts small enough to compute by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from services.faq.build_index import Learnt, build_index
from services.faq.index import SIGNALS, Index, Topics
from services.faq.known import Known
from services.faq.network import UNITS, Network
from services.faq.signals import candidates_of, compare
from services.faq.space import DAMPING, Place, Space
from services.faq.terms import Cut, Terms, hashed, hashed_table

LETTERS = "abcdef"


def cut(*terms: str, title: Sequence[str] = (), code: Sequence[str] = ()) -> Cut:
    return Cut(words=(*title, *terms), characters="", code=code)


def words(*terms: str, code: Sequence[str] = ()) -> Terms:
    return hashed(cut(*terms, code=code))


@pytest.fixture
def space() -> Space:
    """Six terms of each kind, none rarer than another."""
    terms = hashed(Cut(LETTERS, " ".join(LETTERS), LETTERS)).hashes
    return Space(terms, np.ones(len(terms), np.float32), texts=9)


@pytest.fixture
def known() -> Known:
    """Two originals; the first has four duplicates, the second has one."""
    return Known(
        originals=hashed_table([cut("b", title="a", code="f"), cut("c", "d")]),
        original_titles=hashed_table([cut("a"), cut()]),
        answers=hashed_table([cut("e"), cut("f")]),
        duplicates=hashed_table([cut("c"), cut("a"), cut("a", "b"), cut("b"), cut("e")]),
        titles=hashed_table([cut()] * 5),
        owners=np.asarray([1, 0, 0, 0, 0]),
    )


@pytest.fixture
def index(space: Space, known: Known) -> Index:
    topics = Topics(np.full((space.width, 2), 0.5, np.float32), np.asarray([0, -1], np.float32))
    network = Network(
        terms=np.full((space.width, UNITS), 0.25, np.float32),
        terms_bias=np.zeros(UNITS, np.float32),
        units=np.full((UNITS, 2), [[1, -1]], np.float32) / UNITS,
        units_bias=np.asarray([0, 2], np.float32),
    )
    return build_index(space, Learnt(topics, network), known)


def compared(index: Index, places: Sequence[Place]) -> np.ndarray:
    return compare(index, places, candidates_of(index, places))


def signals_of(index: Index, question: Terms) -> dict[str, np.ndarray]:
    values = compared(index, [index.space.place(question)])[:, 0]
    return dict(zip(SIGNALS, values, strict=True))


def length(terms: int) -> float:
    """The length of a text of so many terms with idf 1, and the damping."""
    return float(np.sqrt(terms + DAMPING))


def test_cosines_with_original_title_and_answer(index: Index) -> None:
    signals = signals_of(index, words("a", "e"))
    np.testing.assert_allclose(signals["word"], [1 / (length(2) * length(2)), 0], rtol=1e-5)
    np.testing.assert_allclose(signals["title"], [1 / (length(2) * length(1)), 0], rtol=1e-5)
    np.testing.assert_allclose(signals["answer_word"], [1 / (length(2) * length(1)), 0], rtol=1e-5)


def test_code_is_compared_with_code_only(index: Index) -> None:
    signals = signals_of(index, words(code=("f",)))
    np.testing.assert_allclose(signals["code"], [1 / length(1) ** 2, 0], rtol=1e-5)
    np.testing.assert_allclose(signals["code_share"], [1 / length(1) ** 2, 0], rtol=1e-5)
    assert not signals["word"].any()


def test_nearest_duplicates_are_the_best_and_the_mean_of_three(index: Index) -> None:
    signals = signals_of(index, words("a", "b"))
    both = 2 / (length(2) * length(2))
    one = 1 / (length(2) * length(1))
    np.testing.assert_allclose(signals["duplicate_best"], [both, 0], rtol=1e-5)
    np.testing.assert_allclose(signals["duplicate_mean"], [(both + 2 * one) / 3, 0], rtol=1e-5)


def test_fewer_than_three_duplicates_count_the_others_as_zero(index: Index) -> None:
    signals = signals_of(index, words("c"))
    assert signals["duplicate_mean"][1] == pytest.approx(signals["duplicate_best"][1] / 3)


def test_the_family_is_the_original_its_answer_and_its_duplicates(index: Index) -> None:
    signals = signals_of(index, words("e"))
    assert signals["family_word"][1] == 0
    vector = np.zeros(6)
    for terms, count in (("ab", 2), ("e", 1), ("a", 1), ("ab", 2), ("b", 1), ("e", 1)):
        for term in terms:
            vector["abcdef".index(term)] += 1 / length(count)
    expected = vector[4] / np.linalg.norm(vector) / length(1)
    assert signals["family_word"][0] == pytest.approx(expected, rel=1e-5)


def test_shares_of_question_and_title(index: Index) -> None:
    signals = signals_of(index, words("a", "c", "c"))
    squares = np.asarray([1, (1 + np.log(2)) ** 2])
    question = squares / (squares.sum() + DAMPING)
    np.testing.assert_allclose(signals["question_share"], question, rtol=1e-5)
    np.testing.assert_allclose(signals["title_share"], [1 / length(1) ** 2, 0], rtol=1e-5)


def test_bm25_is_robertsons_formula_over_the_questions_idf(index: Index) -> None:
    one_occurrence_in_a_text_of_average_length = 1 * 2.2 / (1 + 1.2)
    signals = signals_of(index, words("a", "d"))
    np.testing.assert_allclose(
        signals["bm25"], [one_occurrence_in_a_text_of_average_length / 2] * 2, rtol=1e-5
    )


def test_the_topic_is_the_margin_of_the_linear_classifier(index: Index) -> None:
    """Of two terms of equal weight, in a vector of length √2; unknown ones have no influence."""
    for question in (words("a", "b"), words("a", "b", "zzz")):
        np.testing.assert_allclose(signals_of(index, question)["topic"], [1, 0], atol=1e-6)


def test_the_network_adds_up_what_the_units_get(index: Index) -> None:
    signals = signals_of(index, words("a", "b"))
    np.testing.assert_allclose(signals["network"], [0.5, 2 - 0.5], rtol=1e-5)


def test_known_duplicates_are_counted(space: Space, known: Known) -> None:
    index = build_index(space, None, known.with_only(np.asarray([1, 2, 3])))
    signals = signals_of(index, words("a"))
    np.testing.assert_allclose(signals["duplicates"], [np.log(4), 0], rtol=1e-6)
    assert signals["without_duplicates"].tolist() == [0, 1]


def test_texts_without_a_known_term_have_the_biases(index: Index) -> None:
    signals = signals_of(index, words("zzz"))
    assert signals["topic"].tolist() == [0, -1]
    assert signals["network"].tolist() == [0, 2]


def test_a_batch_gives_what_each_text_gives_alone(index: Index) -> None:
    questions = [words("a"), words("b", "c", code="f"), words(), words("zzz")]
    places = [index.space.place(question) for question in questions]
    together = compared(index, places)
    for number, place in enumerate(places):
        np.testing.assert_array_equal(together[:, number], compared(index, [place])[:, 0])


def test_an_original_is_compared_alike_among_all_and_among_some(index: Index) -> None:
    """Among all, term by term; among some, row by row."""
    places = [index.space.place(words(*terms, code="f")) for terms in ("ab", "ce", "dx")]
    among_all = compare(index, places, np.tile(np.arange(2), (3, 1)))
    for original in range(2):
        alone = compare(index, places, np.full((3, 1), original))
        np.testing.assert_array_equal(among_all[:, :, [original]], alone)


def test_the_topic_of_many_originals_compares_the_family_with_an_average_one(
    space: Space, known: Known
) -> None:
    """ln of the ratio of the term's probability in the family, smoothed, to that in all texts."""
    index = build_index(space, None, known)
    expected = (9 + 1) / np.exp(0) - 1  # texts that have the term, by its idf of 1
    on_average = expected / 2
    terms = 12 * on_average  # words and code of an average family
    for question, times, family in ((words("a"), 3, 9), (words("e"), 2, 9)):
        ratio = (times + on_average) / (family + terms) / (on_average / terms)
        assert signals_of(index, question)["topic"][0] == pytest.approx(np.log(ratio), rel=1e-5)


def test_an_original_without_duplicates_is_compared_as_any_other(
    space: Space, known: Known
) -> None:
    index = build_index(space, None, known.with_only(np.asarray([1, 2])))
    signals = signals_of(index, words("c", "d"))
    assert signals["duplicate_best"][1] == 0
    assert signals["family_word"][1] > 0.4
