"""Training on a data set, and the trained model as a model folder has it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import numpy as np
from tqdm import tqdm

from services.faq.analysis import terms_of_all_posted
from services.faq.borrowed import CORPUS, lender
from services.faq.build_encoder import EmbeddingUnavailable
from services.faq.data import DataSet, Original
from services.faq.embedding import Embedding
from services.faq.evaluation.baselines.baseline import plain
from services.faq.known import known_texts
from services.faq.ranking import Scorer
from services.faq.records import DataError
from services.faq.sparse_rows import TooManyTerms
from services.faq.split import NoSuchSplit
from services.faq.storage import Example, StoredModel
from services.faq.stored_originals import Int64s, StoredOriginal, StoredOriginals
from services.faq.training import TooLittleData, Trained, train
from services.serving.model_folder import ModelFolderError

EXAMPLES: Final = 8
"""Questions whose rankings are kept for the service to compare its own with before it is ready."""
EXAMPLE_PLACES: Final = 5

CANNOT_TRAIN: Final = (
    DataError,
    EmbeddingUnavailable,
    NoSuchSplit,
    TooLittleData,
    TooManyTerms,
    ModelFolderError,
)
"""What is wrong with what a command was given to train on; each message is one line."""

Step = TypeVar("Step")


def train_on(
    data: DataSet, seed: int, embedding: Embedding | None = None, *, borrow: bool = False
) -> Trained:
    """Train on all of a data set, and show how far it is.

    Args:
        data: the texts.
        seed: same data and seed, same model.
        embedding: what the texts' meanings are from.
        borrow: whether the second stage is learnt from the repository's own corpus.

    Raises:
        TooLittleData: there is too little of it.
    """
    encode = embedding and embedding.encode
    known = known_texts(data, show_progress, encode)
    lent = known_texts(lender(CORPUS), show_progress, encode) if borrow else None
    return train(known, seed, show_progress, embedding and embedding.encoder, lent)


def stored_model(scorer: Scorer, learnt: DataSet, url_template: str) -> StoredModel:
    """Return a model with what serving needs beside it.

    Args:
        scorer: the model.
        learnt: what it was trained on.
        url_template: address of an original, with `{id}` in it; may be empty.
    """
    originals = StoredOriginals.of(stored_originals(learnt.originals, url_template))
    asked = [each.text for each in learnt.duplicates or learnt.originals]
    spread = np.linspace(0, len(asked) - 1, EXAMPLES).astype(int)
    texts = [plain(asked[number]) for number in spread]
    return StoredModel(scorer, originals, golden_examples(scorer, originals.ids, texts))


def stored_originals(originals: Iterable[Original], url_template: str) -> Iterator[StoredOriginal]:
    """Yield the originals as answers show them."""
    for original in originals:
        attribution = original.attribution
        address = attribution.url if attribution else None
        source_id = attribution.source_id if attribution else None
        yield StoredOriginal(
            id=original.id,
            answer_id=original.answer_id,
            title=original.title,
            url=url_template.replace("{id}", quote(source_id or str(original.id), "")) or address,
            html=original.html,
            answer_html=original.answer_html,
            attribution=original.attribution,
            answer_attribution=original.answer_attribution,
        )


def golden_examples(scorer: Scorer, ids: Int64s, texts: Sequence[str]) -> tuple[Example, ...]:
    """Rank texts for the service to compare its own rankings with; `ids` are the originals'."""
    rankings = scorer.rank(terms_of_all_posted(texts))
    return tuple(
        Example(
            text=text,
            first=tuple(
                zip(
                    ids[ranking.positions[:EXAMPLE_PLACES]].tolist(),
                    ranking.scores[:EXAMPLE_PLACES].tolist(),
                    strict=True,
                )
            ),
        )
        for text, ranking in zip(texts, rankings, strict=True)
    )


def show_progress(steps: Iterable[Step], what: str) -> Iterable[Step]:
    """Show the progress of an iteration."""
    options: dict[str, Any] = {"desc": what, "disable": None, "leave": False}
    return tqdm(steps, **options)


def tell(line: str) -> None:
    """Write a line to standard error, above any progress that is shown there."""
    tqdm.write(line, file=sys.stderr)
