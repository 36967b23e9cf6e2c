"""Vectors are scikit-learn's TF-IDF, damped by what is not known."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from services.faq.analysis import cut
from services.faq.fit_index import fit_space
from services.faq.space import DAMPING, Space
from services.faq.terms import Cut, hashed, hashed_table
from services.faq.text import clean_posted

TEXTS = ["sort an array", "sort the map", "a map of a map", "array map"]
CUTS = [cut(clean_posted(text)) for text in TEXTS]


def words(*terms: str) -> Cut:
    return Cut(terms, "", ())


def space_of(idf: dict[str, float]) -> Space:
    terms = [hashed(words(term)).hashes[0] for term in idf]
    order = np.argsort(terms)
    return Space(np.asarray(terms)[order], np.asarray([*idf.values()], np.float32)[order], 9)


@pytest.fixture
def space() -> Space:
    return space_of({"a": 1, "b": 2, "c": 3})


def weights_of(space: Space, *terms: str) -> dict[float, float]:
    """The weights by the idf of the term, which tells the terms of these tests apart."""
    place = space.place(hashed(words(*terms)))
    idf = space.idf[place.columns].tolist()
    return dict(zip(idf, place.weights.tolist(), strict=True))


def test_weights_are_those_computed_by_hand(space: Space) -> None:
    raw = np.asarray([2.0, (1 + np.log(2)) * 3])
    length = np.sqrt((raw**2).sum() + (1 + DAMPING) * 3**2)
    weights = weights_of(space, "b", "c", "c", "?")
    assert weights == pytest.approx({2: raw[0] / length, 3: raw[1] / length}, rel=1e-6)


def test_weights_are_proportional_to_those_of_scikit_learn() -> None:
    fitted = TfidfVectorizer(analyzer=operator.attrgetter("words"), sublinear_tf=True, min_df=2)
    fitted.fit(CUTS)
    known = Space(*_only_words(fit_space([hashed_table(CUTS)], most=100)))
    columns = [
        int(known.place(hashed(words(term))).columns[0]) for term in fitted.get_feature_names_out()
    ]
    assert sorted(columns) == list(range(known.width))
    for text in CUTS:
        place = known.place(hashed(text))
        ours = np.zeros(known.width)
        ours[place.columns] = place.weights
        expected = fitted.transform([text]).toarray()[0]
        np.testing.assert_allclose(ours[columns] / np.linalg.norm(ours), expected, rtol=1e-5)


def _only_words(space: Space) -> tuple[np.ndarray, np.ndarray, int]:
    return space.terms[space.spans[0]], space.idf[space.spans[0]], space.texts


def test_unknown_words_make_a_text_less_similar(space: Space) -> None:
    alone = weights_of(space, "a")[1]
    assert 0 < weights_of(space, "a", *"xyz")[1] < alone < 0.3


def test_a_text_without_known_terms_is_nowhere(space: Space) -> None:
    place = space.place(hashed(Cut(["?"], "a", ["!"])))
    assert place.known == place.idf_of_words == 0
    assert len(place.columns) == len(place.weights) == 0


def test_kinds_of_terms_lie_side_by_side_and_are_told_apart() -> None:
    terms = Cut(["a", "b"], "a b c", ["a"])
    space = Space(hashed(terms).hashes, np.ones(6, np.float32), 9)
    assert space.spans == (slice(0, 2), slice(2, 5), slice(5, 6))
    place = space.place(hashed(Cut(["a", "c"], "b", ["b"])))
    assert [int(np.searchsorted((2, 5), column, "right")) for column in place.columns] == [0, 1]
    assert (place.known, place.idf_of_words) == (1, 1)


def test_a_text_has_the_same_place_alone_and_among_others() -> None:
    space = fit_space([hashed_table(CUTS)], most=100)
    rows = space.rows(hashed_table(CUTS)).weights
    places = space.places([hashed(text) for text in CUTS])
    for number, text in enumerate(CUTS):
        place = space.place(hashed(text))
        row = slice(rows.indptr[number], rows.indptr[number + 1])
        np.testing.assert_array_equal(rows.indices[row], place.columns)
        np.testing.assert_array_equal(rows.data[row], place.weights)
        np.testing.assert_array_equal(places[number].columns, place.columns)
        np.testing.assert_array_equal(places[number].weights, place.weights)
        assert places[number].known == place.known
        assert places[number].idf_of_words == place.idf_of_words


def names(space: Space, candidates: Sequence[str]) -> list[str]:
    return [term for term in candidates if space.place(hashed(words(term))).known]


def test_rare_terms_are_not_learnt() -> None:
    space = fit_space([hashed_table(CUTS)], most=1_000)
    assert names(space, ["array", "map", "sort", "the", "of", "an"]) == ["array", "map", "sort"]
    assert space.spans[2] == slice(space.width, space.width)


def test_of_too_many_terms_the_most_frequent_are_learnt() -> None:
    space = fit_space([hashed_table(CUTS)], most=3)
    assert names(space, ["array", "map", "sort"]) == ["map"]


def test_frequencies_are_those_of_the_texts_whatever_the_pieces() -> None:
    tables = [hashed_table(CUTS[:1]), hashed_table(CUTS[1:])]
    together = fit_space([hashed_table(CUTS)], most=100)
    apart = fit_space(tables, most=100)
    np.testing.assert_array_equal(together.terms, apart.terms)
    np.testing.assert_array_equal(together.idf, apart.idf)
    of_map = hashed(words("map")).hashes[0]
    frequency = together.document_frequencies[np.searchsorted(together.terms, of_map)]
    assert frequency == pytest.approx(3, rel=1e-5)
