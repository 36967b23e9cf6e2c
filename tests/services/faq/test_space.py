"""Vectors are scikit-learn's TF-IDF, damped by what is not known."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.analysis import Terms, terms_of_posted
from services.faq.fit_index import fit_block, vectorizer
from services.faq.space import DAMPING, Block, Space

TEXTS = ["sort an array", "sort the map", "a map of a map", "array map"]


@pytest.fixture
def block() -> Block:
    return Block({"a": 0, "b": 1, "c": 2}, np.asarray([1, 2, 3], np.float32))


def test_counts_are_of_known_terms_in_the_order_of_columns(block: Block) -> None:
    counted = block.count(["c", "a", "?", "c", "!"])
    assert counted.vector.columns.tolist() == [0, 2]
    assert counted.vector.values.tolist() == [1, 2]
    assert counted.unknown == 2


def test_weights_are_those_computed_by_hand(block: Block) -> None:
    weights = block.tfidf(["b", "c", "c", "?"]).values
    raw = np.asarray([2.0, (1 + np.log(2)) * 3])
    length = np.sqrt((raw**2).sum() + (1 + DAMPING) * 3**2)
    np.testing.assert_allclose(weights, raw / length, rtol=1e-6)


def test_weights_are_proportional_to_those_of_scikit_learn() -> None:
    terms = [terms_of_posted(text) for text in TEXTS]
    fitted = vectorizer("words", fewest=1, most=100).fit(terms)
    block = fit_block(terms, "words", fewest=1, most=100)
    for text in terms:
        expected = fitted.transform([text]).toarray()[0]
        vector = block.tfidf(text.words)
        ours = np.zeros(block.width, np.float32)
        ours[vector.columns] = vector.values
        np.testing.assert_allclose(ours / np.linalg.norm(ours), expected, rtol=1e-5)


def test_unknown_words_make_a_text_less_similar(block: Block) -> None:
    alone = block.tfidf(["a"]).values[0]
    assert 0 < block.tfidf(["a", *"xyz"]).values[0] < alone < 0.3


def test_a_text_without_known_terms_is_nowhere(block: Block) -> None:
    space = Space(block, block, Block({}, np.zeros(0, np.float32)))
    place = space.place(Terms(("?",), (), (), ("!",)))
    assert place.known == 0
    assert len(place.tfidf.columns) == len(place.shares.columns) == 0


def test_kinds_of_terms_lie_side_by_side(block: Block) -> None:
    space = Space(block, block, block)
    place = space.place(Terms(("a",), (), ("b",), ("c",)))
    assert place.tfidf.columns.tolist() == [0, 3 + 1, 6 + 2]
    assert place.shares.columns.tolist() == [0, 3 + 2, 6 + 0, 9 + 0]
    assert place.shares.values[2:].tolist() == [1, 1]
    assert place.known == 2


def test_rare_terms_are_not_learnt_and_no_terms_are_an_empty_block() -> None:
    terms = [terms_of_posted(text) for text in TEXTS]
    learnt = fit_block(terms, "words", fewest=2, most=100)
    assert list(learnt.columns) == ["array", "map", "sort"]
    assert fit_block(terms, "code", fewest=1, most=9).width == 0
