"""Classes with a single text are an FAQ's usual ones, and nothing to warn of."""

from __future__ import annotations

import warnings

import numpy as np

from services.faq.one_against_all import fit_one_against_all


def test_an_faq_of_few_duplicates_is_nothing_to_warn_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit_one_against_all(np.eye(8), np.arange(8), 0, penalty=10.0)

    assert fitted.predict(np.eye(8)).tolist() == list(range(8))


def test_the_same_seed_gives_the_same_classifiers() -> None:
    texts = np.random.default_rng(0).random((30, 5))
    first, second = (fit_one_against_all(texts, np.arange(30) % 4, 3) for _ in range(2))

    assert (first.coef_ == second.coef_).all()
