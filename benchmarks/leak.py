"""What a duplicate's leak of its original is worth: accuracy with and without stripping it.

``python -m benchmarks.leak --data DIR`` measures a data folder as it is; with ``--inject SHARE`` that
share of its duplicates is first given the leak, in the forms that Stack Overflow gave it.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from tqdm import tqdm

from benchmarks.models import ROOT
from benchmarks.result import Result, Table, Target
from services.faq.data import DataSet, read_data
from services.faq.known import Known, known_texts
from services.faq.metrics import Accuracy, accuracy, places_of
from services.faq.ranking import Scorer
from services.faq.records import (
    ANSWERS_FILE,
    DUPLICATES_FILE,
    ORIGINALS_FILE,
    SPLIT_FILE,
    DataError,
    QuestionRecord,
    read_records,
)
from services.faq.split import Split, split_data
from services.faq.stored_text import split_stored, text0
from services.faq.training import train

CORPUS = ROOT / "services" / "faq" / "corpus"
SHARE = 0.6
"""Of the six distinct test texts of one class that the predecessor's history prints, five leak."""
SEED = 1
HOLDOUT = 0.2
SITE = "https://stackoverflow.com"


@dataclass(frozen=True)
class Row:
    """A training and what it was asked."""

    trained_on: str
    asked: str
    ours: Accuracy
    cosine: Accuracy

    def cells(self) -> list[str]:
        """The figures as cells."""
        return [
            self.trained_on,
            self.asked,
            f"{self.ours.accuracy_at_1:.1%}",
            f"{self.ours.accuracy_at_1_low:.1%} – {self.ours.accuracy_at_1_high:.1%}",
            f"{self.ours.accuracy_at_3:.1%}",
            f"{self.cosine.accuracy_at_1:.1%}",
            f"{self.cosine.accuracy_at_3:.1%}",
        ]


def run() -> Result:
    """Measure the repository's corpus with the leak injected."""
    return measure(CORPUS, SHARE, "services/faq/corpus")


def measure(folder: Path, share: float, shown: str) -> Result:
    """Train with and without stripping, and ask the same held-out questions with and without."""
    with tempfile.TemporaryDirectory() as temporary:
        leaking = folder
        if share:
            leaking = Path(temporary)
            inject(folder, leaking, share)
        kept = _Variant("leak kept", leaking, strip=False)
        stripped = _Variant("leak stripped", leaking, strip=True)
        rows = [
            Row("leak kept", "with the leak", *_asked(kept, kept)),
            Row("leak kept", "without", *_asked(kept, stripped)),
            Row("leak stripped", "without", *_asked(stripped, stripped)),
        ]
        if share:
            clean = _Variant("no leak", folder, strip=True)
            rows.append(Row("no leak injected", "without", *_asked(clean, clean)))
    return _result(rows, stripped, share, shown)


def _result(rows: Sequence[Row], stripped: _Variant, share: float, shown: str) -> Result:
    split = stripped.split
    notes = [
        f"{shown}: {len(stripped.data.originals)} originals, {len(split.training):,} duplicates to "
        f"learn from and {len(split.held_out):,} others to ask (split {split.kind}). The same "
        "questions are asked in every row. The first row is what an evaluation shows that leaves "
        "the leak in; the second is what users of that model get, who do not know the original "
        "when they ask; the third is what this service does.",
    ]
    targets: list[Target] = []
    if share:
        notes.append(
            f"The leak is not in this data: it was injected into {share:.0%} of the duplicates, "
            "seeded, in the forms of old Stack Overflow (a quoted \"Possible Duplicate\" with the "
            "original's title and address, a notice that there are answers already, \"[duplicate]\" in "
            "the title with a link to the original in the text)."
        )  # fmt: skip
        difference = rows[2].ours.accuracy_at_1 - rows[3].ours.accuracy_at_1
        limit = max(0.01, 2 / rows[2].ours.questions)
        targets.append(
            Target(
                f"stripped, within {100 * limit:.0f} point of data that never had the leak",
                f"{100 * difference:+.1f} points",
                abs(difference) <= limit,
            )
        )
    return Result(
        name="leak",
        title="What the leak is worth",
        notes=notes,
        tables=[
            Table(
                "Accuracy",
                ("trained on", "asked", "accuracy@1", "95 % interval", "@3",
                 "TF-IDF cosine @1", "@3 "),
                [row.cells() for row in rows],
            )
        ],
        targets=targets,
    )  # fmt: skip


class _Variant:
    """A data folder, read with or without stripping, and the model of it."""

    def __init__(self, name: str, folder: Path, *, strip: bool) -> None:
        print(f"training: {name} …", file=sys.stderr)
        self.data = read_data(folder, strip=strip)
        self.split: Split = split_data(self.data, HOLDOUT, SEED)
        self.known: Known = known_texts(self.data)
        training = self.known.with_only(self.split.training)
        self.scorer: Scorer = train(training, SEED, _progress).scorer


def _asked(model: _Variant, questions: _Variant) -> tuple[Accuracy, Accuracy]:
    """What our model and TF-IDF cosine reach on the held-out questions of a variant."""
    held_out = questions.split.held_out
    if [model.data.duplicates[each].id for each in model.split.held_out] != [
        questions.data.duplicates[each].id for each in held_out
    ]:
        raise DataError("stripping leaves other questions; the rows could not be compared")
    owners = questions.data.owners[held_out]
    rankings = model.scorer.rank([questions.known.duplicates[int(each)] for each in held_out])
    originals = len(model.data.originals)
    ours = places_of([ranking.positions for ranking in rankings], owners, originals)
    theirs = places_of(_cosine(model.data, questions.data, held_out), owners, originals)
    return accuracy(ours, owners), accuracy(theirs, owners)


def _cosine(known: DataSet, asked: DataSet, held_out: Iterable[int]) -> np.ndarray:
    vectorizer = TfidfVectorizer()
    vectors = vectorizer.fit_transform(
        [f"{each.text.title} {each.text.prose}" for each in known.originals]
    )
    texts = [asked.duplicates[each].text for each in held_out]
    questions = vectorizer.transform([f"{text.title} {text.prose}" for text in texts])
    return np.argsort(-(questions @ vectors.T).toarray(), axis=1, kind="stable")


def inject(source: Path, destination: Path, share: float) -> None:
    """Copy a data folder, and give a share of its duplicates a leak of their originals."""
    for name in (ORIGINALS_FILE, ANSWERS_FILE, SPLIT_FILE):
        if (source / name).exists():
            shutil.copy(source / name, destination / name)
    records = read_records(source)
    original_of = {each.answer_id: each for each in records.originals}
    chosen = np.random.default_rng(SEED).random((len(records.duplicates), 2))
    with gzip.open(destination / DUPLICATES_FILE, "wt", encoding="utf-8", newline="\n") as stream:
        for duplicate, (draw, form) in zip(records.duplicates, chosen, strict=True):
            original = original_of.get(duplicate.answer_id)
            stored = duplicate.text0
            if original and draw < share:
                stored = leaking(duplicate, original, form)
            fields = (duplicate.id, duplicate.answer_id, stored, duplicate.created)
            stream.write("\t".join(map(str, fields)) + "\n")


def leaking(duplicate: QuestionRecord, original: QuestionRecord, form: float) -> str:
    """A duplicate's stored text with a leak; `form`, from 0 to 1, says which, most often the first."""
    title, body = split_stored(duplicate.text0)
    their_title = split_stored(original.text0)[0]
    slug = "-".join("".join(c if c.isalnum() else " " for c in their_title.lower()).split())
    link = f'<a href="{SITE}/questions/{original.id}/{slug}">{their_title}</a>'
    if form < 0.7:
        notice = (
            f"<blockquote> <p><strong>Possible Duplicate:</strong><br> {link} </p> </blockquote>"
        )
        return text0(title, f"{notice} {body or '<p></p>'}")
    if form < 0.85:
        notice = f"<div>This question already has answers here:</div> <div>{link} (3 answers)</div>"
        return text0(title, f"{notice} {body or '<p></p>'}")
    return text0(f"{title} [duplicate]", f"{body} <p>I have seen {link} too.</p>")


def _progress(steps: Iterable[Any], what: str) -> Iterable[Any]:
    return tqdm(steps, desc=what, disable=None, leave=False)


def main() -> None:
    """Measure the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leak", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the three files")
    parser.add_argument(
        "--inject", type=float, default=0.0, help="share of the duplicates to give the leak"
    )
    options = parser.parse_args()
    if not 0 <= options.inject <= 1:
        parser.error("--inject: must be between 0 and 1")
    try:
        print(measure(options.data, options.inject, options.data.name).text())
    except DataError as error:
        raise SystemExit(f"python -m benchmarks.leak: {error}") from None


if __name__ == "__main__":
    main()
