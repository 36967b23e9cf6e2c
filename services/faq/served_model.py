"""The model that a new one replaces, on the questions that are fair to both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from services.faq.evaluation.bootstrap import Estimate
from services.faq.evaluation.comparison import ask, paired_differences
from services.faq.evaluation.outcomes import Outcomes
from services.faq.evaluation.questions import HeldOut
from services.faq.learnt_from import is_learnt, read_learnt
from services.faq.storage import KIND, StoredModel, load_model
from services.serving.model_folder import MANIFEST, ModelFolderError, read_model_folder

FEWEST_QUESTIONS: Final = 30
"""With fewer, a comparison says nothing."""


@dataclass(frozen=True)
class ServedComparison:
    """By how much the new model exceeds the one in its place, or why that is not known."""

    version: str
    questions: int
    """Held-out questions that neither has learnt from and whose original both know."""
    differences: dict[str, Estimate] | None
    accuracy_at_1: float | None
    """Of the model in its place, on those questions."""
    note: str = ""


def compare_with_served(
    folder: Path, model: Outcomes, held_out: HeldOut, seed: int
) -> ServedComparison | None:
    """Ask the model of a folder the held-out questions that it has not learnt from.

    A question that the model in place has learnt from would flatter it, and one whose original it
    does not know would flatter the new one: neither is asked.

    Args:
        folder: where the new model will be written.
        model: what the new model did with the held-out questions.
        held_out: those questions.
        seed: of the intervals.

    Returns:
        None where there is no model yet. What cannot be compared is said in the note.
    """
    if not (folder / MANIFEST).exists():
        return None
    try:
        manifest = read_model_folder(folder, kind=KIND)
        stored = load_model(folder)
        learnt = read_learnt(folder)
    except ModelFolderError as error:
        return ServedComparison("unknown", 0, None, None, f"it cannot be asked: {error}")
    duplicates = [held_out.data.duplicates[number] for number in held_out.asked]
    owners = _owners(stored, held_out)
    fair = ~is_learnt(learnt, duplicates) & (owners >= 0)
    questions = int(fair.sum())
    if questions < FEWEST_QUESTIONS:
        note = (
            f"only {questions} of {len(fair)} held-out questions are new to it and have an original "
            "that it knows"
        )
        return ServedComparison(manifest.version, questions, None, None, note)
    chosen = np.flatnonzero(fair)
    texts = [held_out.texts[number] for number in chosen]
    served = ask(stored.scorer, texts, owners[fair], len(stored.originals))
    differences = paired_differences(model.only(fair), served, seed)
    accuracy = float(served.is_right.mean())
    return ServedComparison(manifest.version, questions, differences, accuracy)


def _owners(stored: StoredModel, held_out: HeldOut) -> np.ndarray:
    """Return the position of each question's original among those of the stored model, or -1."""
    position = {int(each): number for number, each in enumerate(stored.originals.ids)}
    known = [position.get(original.id, -1) for original in held_out.data.originals]
    return np.asarray(known)[held_out.owners]
