"""The 2018 reference architecture's FAQ pipeline, rebuilt from its published description.

Source: the notebooks 00_Data_Prep, 01_Create_Model and 02_Develop_Model_Driver of
``Azure/MLAKSDeployment`` (commit a1b1dda), as described in their text: two TF-IDF blocks, one per
side of the pair, and a gradient-boosted classifier with 8,000 trees on top; at request time the
frame of all originals is copied, the posted text is set in each row and the whole pipeline is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

MATCH = 20
TEST_SHARE = 0.21


@dataclass(frozen=True)
class Text:
    """A question: its own id, the id of the original's answer, its text as published."""

    id: int
    answer_id: int
    text: str


class ItemSelector(BaseEstimator, TransformerMixin):
    """Picks one column of a frame, as the notebook's class of that name."""

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, frame: pd.DataFrame, labels: object = None) -> ItemSelector:
        """Nothing to learn."""
        del frame, labels
        return self

    def transform(self, frame: pd.DataFrame) -> pd.Series:
        """The column."""
        return frame[self.column]

    def __sklearn_is_fitted__(self) -> bool:
        return True


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
        self._questions = pd.DataFrame(
            {
                "Id_y": [question.id for question in originals],
                "AnswerId_y": [question.answer_id for question in originals],
                "Text_y": [clean_text(question.text) for question in originals],
            }
        )
        blocks = [
            (column, Pipeline([("select", ItemSelector(column)), ("tfidf", TfidfVectorizer())]))
            for column in ("Text_x", "Text_y")
        ]
        classifier = LGBMClassifier(
            n_estimators=trees, min_child_samples=20, verbose=-1, random_state=seed, n_jobs=threads
        )
        self._pipeline = Pipeline([("features", FeatureUnion(blocks)), ("model", classifier)])
        self._seed = seed

    def fit(self, duplicates: Sequence[Text]) -> PredecessorModel:
        """Train on each duplicate with its original and 19 other originals, classes balanced."""
        frame = self._training_pairs(duplicates)
        labels = frame.pop("Label").to_numpy()
        weights = len(labels) / (2 * np.bincount(labels)[labels])
        self._pipeline.fit(frame, labels, model__sample_weight=weights)
        return self

    def score(self, text: str) -> list[tuple[int, int, float]]:
        """(question id, answer id, probability) of every original, best first."""
        frame = self._questions.copy()
        frame["Text_x"] = clean_text(text)
        probabilities = self._pipeline.predict_proba(frame)[:, 1]
        rows = zip(frame["Id_y"], frame["AnswerId_y"], probabilities, strict=True)
        return sorted(
            ((int(question), int(answer), float(score)) for question, answer, score in rows),
            key=lambda row: row[2],
            reverse=True,
        )

    def _training_pairs(self, duplicates: Sequence[Text]) -> pd.DataFrame:
        random = np.random.default_rng(self._seed)
        answers = self._questions["AnswerId_y"].to_numpy()
        texts = self._questions["Text_y"].to_numpy()
        left: list[str] = []
        right: list[str] = []
        labels: list[int] = []
        for duplicate in duplicates:
            cleaned = clean_text(duplicate.text)
            true = int(np.flatnonzero(answers == duplicate.answer_id)[0])
            others = np.delete(np.arange(len(answers)), true)
            chosen = [true, *random.choice(others, min(MATCH - 1, len(others)), replace=False)]
            left += [cleaned] * len(chosen)
            right += [texts[index] for index in chosen]
            labels += [1] + [0] * (len(chosen) - 1)
        return pd.DataFrame({"Text_x": left, "Text_y": right, "Label": labels})
