"""The model in place is asked only what is fair to both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.faq.data import Duplicate
from services.faq.evaluation.comparison import ask
from services.faq.evaluation.outcomes import Outcomes
from services.faq.evaluation.questions import HeldOut
from services.faq.learnt_from import write_learnt
from services.faq.served_model import FEWEST_QUESTIONS, ServedComparison, compare_with_served
from services.faq.storage import KIND, save_model
from services.faq.training_run import stored_model
from services.serving.model_folder import new_model_folder
from tests.services.faq.conftest import Small


@pytest.fixture(scope="module")
def model(small: Small, questions: HeldOut) -> Outcomes:
    return ask(small.trained.scorer, questions.texts, questions.owners, 31)


def place(small: Small, folder: Path, learnt: list[Duplicate]) -> Path:
    """Put the small model in place, as if it had learnt from other questions."""
    with new_model_folder(folder, kind=KIND, name="faq", version="v1") as draft:
        save_model(stored_model(small.trained.scorer, small.data, ""), draft.folder)
        write_learnt(draft.folder, learnt)
    return folder


def compared(folder: Path, model: Outcomes, questions: HeldOut) -> ServedComparison:
    served = compare_with_served(folder, model, questions, 0)
    assert served is not None
    return served


def test_nothing_in_place_is_nothing_to_compare_with(
    tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    assert compare_with_served(tmp_path / "faq", model, questions, 0) is None


def test_the_same_model_does_not_differ(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    folder = place(small, tmp_path / "faq", questions.training.duplicates)
    served = compared(folder, model, questions)
    assert (served.version, served.questions) == ("v1", len(questions.asked))
    assert served.accuracy_at_1 == pytest.approx(model.is_right.mean())
    assert served.differences is not None
    assert served.differences["accuracy_at_1"].high == 0


def test_what_the_model_in_place_has_learnt_from_is_not_asked(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    seen = [questions.data.duplicates[number] for number in questions.asked[:20]]
    folder = place(small, tmp_path / "faq", seen)
    served = compared(folder, model, questions)
    assert served.questions == len(questions.asked) - 20
    assert served.accuracy_at_1 == pytest.approx(model.is_right[20:].mean())


def test_an_original_that_the_model_in_place_does_not_know_is_not_asked_about(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    folder = place(small, tmp_path / "faq", [])
    renamed = [
        replace(original, id=original.id + 10**6) if number < 10 else original
        for number, original in enumerate(questions.data.originals)
    ]
    newer = replace(questions, data=replace(questions.data, originals=renamed))
    known = questions.owners >= 10
    served = compared(folder, model, newer)
    assert served.questions == known.sum()
    assert served.accuracy_at_1 == pytest.approx(model.is_right[known].mean())


def test_too_few_fair_questions_say_nothing(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    asked = [questions.data.duplicates[number] for number in questions.asked]
    folder = place(small, tmp_path / "faq", asked[FEWEST_QUESTIONS - 1 :])
    served = compared(folder, model, questions)
    assert served.differences is None
    assert served.note.startswith("only 29 of 62 held-out questions are new to it")


def test_a_worse_model_is_seen_to_be_worse(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    folder = place(small, tmp_path / "faq", [])
    worse = replace(model, ranks=np.full(len(model), 31.0))
    differences = compared(folder, worse, questions).differences
    assert differences is not None
    assert differences["accuracy_at_1"].high < -0.3


def test_a_model_of_another_version_is_not_asked_and_why_is_said(
    small: Small, tmp_path: Path, model: Outcomes, questions: HeldOut
) -> None:
    folder = place(small, tmp_path / "faq", [])
    (folder / "learnt_from.npy").unlink()
    served = compared(folder, model, questions)
    assert served.differences is None
    assert served.note.startswith("it cannot be asked: ")
    assert "is missing" in served.note
