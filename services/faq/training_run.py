"""Training on a data set, and the trained model as a model folder has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import numpy as np
from tqdm import tqdm

from services.faq.analysis import terms_of_posted
from services.faq.data import DataSet, Duplicate, Original
from services.faq.known import known_texts
from services.faq.ranking import Scorer
from services.faq.storage import Example, StoredModel
from services.faq.stored_originals import StoredOriginal, StoredOriginals
from services.faq.training import Trained, train

EXAMPLES: Final = 8
"""Questions whose rankings are kept for the service to compare its own with before it is ready."""
EXAMPLE_PLACES: Final = 5

Step = TypeVar("Step")


def train_on(data: DataSet, seed: int) -> Trained:
    """Train on all of a data set, and show how far it is.

    Raises:
        TooLittleData: there is too little of it.
    """
    return train(known_texts(data, _progress), seed, _progress)


def stored_model(scorer: Scorer, learnt: DataSet, url_template: str) -> StoredModel:
    """Return a model with what serving needs beside it.

    Args:
        scorer: the model.
        learnt: what it was trained on.
        url_template: address of an original, with `{id}` in it; may be empty.
    """
    return StoredModel(
        scorer=scorer,
        originals=_originals(learnt, url_template),
        examples=_examples(learnt, scorer),
    )


def _originals(data: DataSet, url_template: str) -> StoredOriginals:
    return StoredOriginals.of(
        StoredOriginal(
            id=original.id,
            answer_id=original.answer_id,
            title=original.title,
            url=url_template.replace("{id}", str(original.id)) or _address(original),
            html=original.html,
            answer_html=original.answer_html,
            attribution=original.attribution,
            answer_attribution=original.answer_attribution,
        )
        for original in data.originals
    )


def _address(original: Original) -> str | None:
    return original.attribution.url if original.attribution else None


def _examples(learnt: DataSet, scorer: Scorer) -> tuple[Example, ...]:
    spread = np.linspace(0, len(learnt.duplicates) - 1, EXAMPLES).astype(int)
    asked: list[Duplicate] = [learnt.duplicates[number] for number in spread]
    rankings = scorer.rank([terms_of_posted(duplicate.text.prose) for duplicate in asked])
    return tuple(
        Example(
            text=duplicate.text.prose,
            first=tuple(
                (learnt.originals[number].id, float(score))
                for number, score in zip(
                    ranking.positions[:EXAMPLE_PLACES], ranking.scores[:EXAMPLE_PLACES], strict=True
                )
            ),
        )
        for duplicate, ranking in zip(asked, rankings, strict=True)
    )


def _progress(steps: Iterable[Step], what: str) -> Iterable[Step]:
    options: dict[str, Any] = {"desc": what, "disable": None, "leave": False}
    return tqdm(steps, **options)
