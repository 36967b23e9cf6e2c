"""The curve withholds what it says, and a model is asked about originals that it does not know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from services.faq.data import DataSet
from services.faq.evaluation.baselines.all import simple_baselines
from services.faq.evaluation.baselines.baseline import Baseline, KnownText, Score, plain
from services.faq.evaluation.evaluate import evaluate
from services.faq.evaluation.questions import HeldOut
from services.faq.evaluation.unmatched import ask_unmatched
from services.faq.evaluation.withholding import TRAININGS, withheld_curve
from services.faq.ranking import Scorer
from tests.services.faq.conftest import Small
from tests.services.faq.evaluation.conftest import trainer

COSINE = simple_baselines(0)[2]


class Watched:
    """A trainer that keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[DataSet] = []

    def __call__(self, data: DataSet) -> Scorer:
        self.given.append(data)
        return trainer(data)


def test_each_point_learns_from_no_more_than_it_says(tiny: HeldOut) -> None:
    watched = Watched()
    steps: list[str] = []
    curve = withheld_curve(tiny, watched, [COSINE], 0, steps.append, kept=(0, 1, 3))
    counts = [np.bincount(data.owners, minlength=10) for data in watched.given]
    assert (counts[0] > 0).sum() == (counts[1] > 0).sum() == 5
    assert ((counts[0] > 0) ^ (counts[1] > 0)).all()
    assert [count.max() for count in counts[2:]] == [1, 3]
    assert [point.kept for point in curve] == [0, 1, 3]
    assert [point.known_duplicates for point in curve] == [0, 10, 30]
    assert steps[:2] == ["no known duplicates, half 1", "no known duplicates, half 2"]
    held_out = {tiny.data.duplicates[number].id for number in tiny.split.held_out}
    assert not any(held_out & {each.id for each in data.duplicates} for data in watched.given)


def test_with_none_an_original_is_asked_about_while_it_has_no_duplicate(tiny: HeldOut) -> None:
    watched: list[tuple[list[str], set[int]]] = []

    def watching(known: KnownText) -> Score:
        owners = set(known.owners.tolist())

        def score(asked: Sequence[str]) -> np.ndarray:
            watched.append((list(asked), owners))
            return np.zeros((len(asked), len(known.originals)))

        return score

    withheld_curve(tiny, trainer, [Baseline("watching", "", watching)], 0, kept=(0,))
    owner_of = dict(zip(map(plain, tiny.texts), tiny.owners.tolist(), strict=True))
    assert sorted(text for asked, _ in watched for text in asked) == sorted(owner_of)
    for asked, known in watched:
        assert known
        assert not {owner_of[text] for text in asked} & known


def test_what_learns_from_no_duplicate_is_the_same_at_every_point(tiny: HeldOut) -> None:
    curve = withheld_curve(tiny, trainer, [COSINE], 0, kept=(0, 1))
    first, second = (point.matchers["tfidf_cosine"]["accuracy_at_1"] for point in curve)
    assert first == second


def test_a_point_with_too_little_to_train_on_is_left_out(tiny: HeldOut) -> None:
    few = HeldOut(tiny.data, tiny.split, tiny.asked[:4])
    nine_duplicates = tiny.split.training[:9]
    little = HeldOut(tiny.data, type(tiny.split)(nine_duplicates, tiny.split.held_out), few.asked)
    assert withheld_curve(little, trainer, [], 0, kept=(1,)) == []


def test_a_withheld_original_is_not_known_to_the_model_that_is_asked(tiny: HeldOut) -> None:
    watched = Watched()
    figures = ask_unmatched(tiny, watched, 0)
    assert figures is not None
    assert len(watched.given[0].originals) == 8
    assert figures.with_match + figures.without_match == len(tiny.asked)
    known = {original.id for original in watched.given[0].originals}
    unknown = [tiny.data.originals[owner].id not in known for owner in tiny.owners]
    assert figures.without_match == sum(unknown)
    assert 0 <= figures.auroc.value <= 1


def test_a_whole_evaluation_tells_every_step(tiny: HeldOut) -> None:
    steps: list[str] = []
    evaluation = evaluate(
        trainer(tiny.training), tiny, [COSINE], 0, trainer=trainer, step=steps.append
    )
    assert len(steps) == 2 + TRAININGS + 1
    assert evaluation.withheld is not None
    assert [point.kept for point in evaluation.withheld] == [0, 1, 2, 5, 10]
    assert evaluation.no_match is not None
    assert evaluation.notes == ()


def test_without_a_trainer_nothing_is_trained(small: Small, questions: HeldOut) -> None:
    evaluation = evaluate(small.trained.scorer, questions, [COSINE], 0)
    assert (evaluation.withheld, evaluation.no_match) == (None, None)


@pytest.mark.parametrize("name", ["withheld", "no_match", "latency"])
def test_what_was_not_measured_is_null(small: Small, questions: HeldOut, name: str) -> None:
    assert evaluate(small.trained.scorer, questions, [], 0).document()[name] is None
