"""The 2018 reference architecture's FAQ service in one process, rebuilt from its published description.

Source: the notebooks 00_Data_Prep and 02_Develop_Model_Driver of ``Azure/MLAKSDeployment`` (commit
a1b1dda), as described in their text: at request time the frame of all originals is copied, the
posted text is set in each row and the whole pipeline is run. The pipeline itself is a baseline of
every evaluation: ``services/faq/evaluation/baselines/predecessor.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import hstack

from services.faq.evaluation.baselines.predecessor import PredecessorPipeline

TEST_SHARE = 0.21


@dataclass(frozen=True)
class Text:
    """A question: its own id, the id of the original's answer, its text as published."""

    id: int
    answer_id: int
    text: str


def clean_text(text: str) -> str:
    """The notebook's cleaning: code blocks, links and tags removed, lower case."""
    text = re.sub(r"<pre><code>.*?</code></pre>", "", text, flags=re.DOTALL)
    text = re.sub(r"<a[^>]+>(.*)</a>", _link_text, text)
    return re.sub(r"<[^>]+>", "", text).lower()


def _link_text(match: re.Match[str]) -> str:
    return "" if re.match(r"\w+://", match.group(1)) else match.group(1)


def split(duplicates: Sequence[Text], seed: int) -> tuple[list[Text], list[Text]]:
    """Training and test duplicates: per original, floor(0.21 n) but at least one for the test."""
    random = np.random.default_rng(seed)
    groups: dict[int, list[Text]] = {}
    for duplicate in duplicates:
        groups.setdefault(duplicate.answer_id, []).append(duplicate)
    train: list[Text] = []
    test: list[Text] = []
    for group in groups.values():
        order = [group[index] for index in random.permutation(len(group))]
        held_out = max(1, int(TEST_SHARE * len(group)))
        test += order[:held_out]
        train += order[held_out:]
    return train, test


class PredecessorModel:
    """The pipeline and the frame of originals that each request scores."""

    def __init__(self, originals: Sequence[Text], *, trees: int, seed: int, threads: int) -> None:
        texts = [clean_text(question.text) for question in originals]
        self._questions = pd.DataFrame(
            {
                "Id_y": [question.id for question in originals],
                "AnswerId_y": [question.answer_id for question in originals],
                "Text_y": texts,
            }
        )
        self._pipeline = PredecessorPipeline(texts, trees=trees, seed=seed, threads=threads)

    def fit(self, duplicates: Sequence[Text]) -> PredecessorModel:
        """Train on each duplicate with its original and 19 other originals, classes balanced."""
        position = {answer: number for number, answer in enumerate(self._questions["AnswerId_y"])}
        self._pipeline.fit(
            [clean_text(duplicate.text) for duplicate in duplicates],
            np.asarray([position[duplicate.answer_id] for duplicate in duplicates]),
        )
        return self

    def score(self, text: str) -> list[tuple[int, int, float]]:
        """(question id, answer id, probability) of every original, best first."""
        frame = self._questions.copy()
        frame["Text_x"] = clean_text(text)
        pairs = hstack(
            [
                self._pipeline.asked_terms.transform(frame["Text_x"]),
                self._pipeline.original_terms.transform(frame["Text_y"]),
            ],
            format="csr",
        )
        probabilities = self._pipeline.classifier.predict_proba(pairs)[:, 1]
        rows = zip(frame["Id_y"], frame["AnswerId_y"], probabilities, strict=True)
        return sorted(
            ((int(question), int(answer), float(score)) for question, answer, score in rows),
            key=lambda row: row[2],
            reverse=True,
        )
