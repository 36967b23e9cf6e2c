"""FAQ matching among ever more known questions: what retrieval, then re-ranking, costs and finds.

``python -m benchmarks.scale ORIGINALS [--mean-duplicates N]`` measures one size and keeps its figures;
``python -m benchmarks scale`` has the sizes of `SIZES`, and besides those `LARGEST`, where it is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.models import KEPT, ROOT
from benchmarks.own_memory import OwnMemory
from benchmarks.result import Result, Table, Target
from benchmarks.scale_serving import Served
from benchmarks.synthetic import Synthetic, synthetic

SIZES = (100, 1_000, 10_000, 100_000)
LARGEST = 1_000_000
"""Takes an hour, 14 GB of memory and 30 GB of disk, so it is measured by a command of its own."""
REQUIRED = 100_000
"""The size that is to be served and trained within the limits."""
MEAN_DUPLICATES = 10
LARGEST_MEAN_DUPLICATES = 1
QUESTIONS = 500
EXHAUSTIVE_PAIRS, FEWEST_EXHAUSTIVE = 2_000_000, 5
"""Pairs that are scored without retrieval, to see what it misses, and questions that are in any case."""


@dataclass(frozen=True)
class Measured:
    """One size's figures; times in seconds of the clock and of all processors."""

    originals: int
    duplicates: int
    train_seconds: float
    train_cpu_seconds: float
    train_megabytes: float | None
    """Most memory of the training's main process, without maps of files; None where not measured."""
    folder_megabytes: float
    accuracy_at_1: float
    accuracy_at_3: float
    retrieved: float
    """Share of the questions whose right original is a candidate."""
    agrees: float
    """Share of the questions whose best original without retrieval is a candidate."""
    exhaustive_questions: int
    exhaustive_ms: float
    """Processor time of a question that is compared with every original."""
    served: Served
    day: str

    def row(self) -> list[str]:
        """The figures as cells."""
        served = self.served
        return [
            f"{self.originals:,}",
            f"{self.duplicates:,}",
            f"{served.cpu_p50:.1f}",
            f"{served.cpu_p99:.1f}",
            f"{served.wall_p50:.1f}",
            f"{served.wall_p99:.1f}",
            f"{self.exhaustive_ms:,.1f}",
            f"{served.resident:,.0f}",
            f"{served.private:,.0f}",
            f"{self.folder_megabytes:,.0f}",
            f"{served.load_seconds:.1f}",
            f"{self.train_seconds / 60:.1f}",
            f"{self.train_cpu_seconds / 60:.2f}",
            "–" if self.train_megabytes is None else f"{self.train_megabytes:,.0f}",
            self.day,
        ]

    def quality(self) -> list[str]:
        """What is found, as cells."""
        return [
            f"{self.originals:,}",
            f"{self.retrieved:.1%}",
            f"{self.agrees:.1%} of {self.exhaustive_questions}",
            f"{self.accuracy_at_1:.1%}",
            f"{self.accuracy_at_3:.1%}",
        ]


def run() -> Result:
    """Train and ask a model of each size; sizes that were measured before are not again."""
    largest = [LARGEST] if _kept_file(LARGEST).exists() else []
    return result([_kept(size) for size in (*SIZES, *largest)])


def _kept(originals: int) -> Measured:
    """Measure a size, or read what was measured; `.bench/scale` is to be removed to begin anew."""
    kept = _kept_file(originals)
    if not kept.exists():
        subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", str(originals)],
            cwd=ROOT, check=True, stdout=sys.stderr,
        )  # fmt: skip
    fields = json.loads(kept.read_text())
    return Measured(**{**fields, "served": Served(**fields["served"])})


def _kept_file(originals: int) -> Path:
    return KEPT / "scale" / str(originals) / "measured.json"


def measure(originals: int, mean_duplicates: int) -> Measured:
    """Make the data, train, and ask: in a process of its own, so that memory is given back."""
    folder = KEPT / "scale" / str(originals)
    print(f"{originals:,} originals: making the data", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    made = synthetic(originals, QUESTIONS, mean_duplicates)
    began, cpu_began = time.perf_counter(), _cpu_seconds()
    with OwnMemory() as memory:
        _train(made, folder / "model")
    seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu_began
    (folder / "questions.json").write_text(json.dumps(made.questions))
    size = sum(file.stat().st_size for file in (folder / "model").iterdir()) / 1e6
    measured = Measured(
        originals=originals, duplicates=len(made.data.duplicates), train_seconds=seconds,
        train_cpu_seconds=cpu, train_megabytes=memory.peak_megabytes, folder_megabytes=size,
        day=datetime.now(UTC).date().isoformat(), **_asked(folder / "model", made), served=_served(folder),
    )  # fmt: skip
    _kept_file(originals).write_text(json.dumps(asdict(measured)))
    return measured


def _train(made: Synthetic, destination: Path) -> None:
    """Train as the command does, without its report."""
    from services.faq.known import known_texts
    from services.faq.storage import KIND, StoredModel, save_model
    from services.faq.stored_originals import StoredOriginal, StoredOriginals
    from services.faq.training import train
    from services.serving.model_folder import new_model_folder

    trained = train(known_texts(made.data, _progress), 0, _progress)
    originals = StoredOriginals.of(
        StoredOriginal(
            id=each.id, answer_id=each.answer_id, title=each.title, url=None, html=each.html,
            answer_html=each.answer_html,
        )
        for each in made.data.originals
    )  # fmt: skip
    with new_model_folder(destination, kind=KIND, name="scale", version="1") as draft:
        save_model(StoredModel(trained.scorer, originals, ()), draft.folder)


def _asked(model: Path, made: Synthetic) -> dict[str, Any]:
    """Rank the questions, and some of them without retrieval."""
    from services.faq.analysis import terms_of_all_posted
    from services.faq.features import pair_features
    from services.faq.signals import compare
    from services.faq.storage import load_model

    scorer = load_model(model).scorer
    terms = terms_of_all_posted(made.questions)
    rankings = scorer.rank(terms)
    found = [
        np.flatnonzero(ranking.positions == owner)
        for ranking, owner in zip(rankings, made.owners, strict=True)
    ]
    originals = scorer.index.originals
    exhaustive = min(len(terms), max(FEWEST_EXHAUSTIVE, EXHAUSTIVE_PAIRS // originals))
    everyone = np.arange(originals)[np.newaxis]
    agrees, began = 0, time.process_time()
    for text, ranking in zip(terms[:exhaustive], rankings, strict=False):
        place = scorer.index.space.place(text)
        signals = compare(scorer.index, [place], everyone)
        features = pair_features(signals, np.asarray([place.known]))
        best = int(scorer.classifier.probabilities(features)[0].argmax())
        agrees += best in ranking.positions
    return {
        "accuracy_at_1": float(np.mean([len(at) > 0 and at[0] < 1 for at in found])),
        "accuracy_at_3": float(np.mean([len(at) > 0 and at[0] < 3 for at in found])),
        "retrieved": float(np.mean([len(at) > 0 for at in found])),
        "agrees": agrees / exhaustive,
        "exhaustive_questions": exhaustive,
        "exhaustive_ms": 1000 * (time.process_time() - began) / exhaustive,
    }


def _served(folder: Path) -> Served:
    cpu = str(min(os.sched_getaffinity(0)))
    command = [sys.executable, "-m", "benchmarks.scale_serving", str(folder)]
    done = subprocess.run(
        ["taskset", "--cpu-list", cpu, *command],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Served(**json.loads(done.stdout))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _progress(steps: Iterable[Any], what: str) -> Iterable[Any]:
    return tqdm(steps, desc=what, disable=None, leave=False)


def result(measured: list[Measured]) -> Result:
    """The figures of all sizes."""
    last = measured[-1]
    required = next((each for each in measured if each.originals == REQUIRED), last)
    first_large = next(each for each in measured if each.originals >= 1_000)
    growth = last.served.cpu_p50 / first_large.served.cpu_p50
    served = required.served
    what = f"{required.originals:,} originals"
    return Result(
        name="scale",
        title="FAQ matching at the size of Stack Overflow",
        notes=[
            f"Made-up data (benchmarks/synthetic.py): topics, Zipf's frequencies, {MEAN_DUPLICATES} "
            f"duplicates for each original on average ({LARGEST_MEAN_DUPLICATES} for {LARGEST:,} "
            "originals), from none to hundreds, that keep half of its words. "
            f"{QUESTIONS} other questions are asked, from the body of the request to that of the "
            "response, one after the other on one core. Times of the processor are the question's "
            "own; those of the clock hold what else the machine did meanwhile, as do the minutes of "
            "training, which are without the questions and baselines of the quality gate. Resident "
            "memory has the maps of the model's files, which processes share; private is the rest. "
            "Exhaustive is the comparison with every original instead of the 200 candidates. Memory "
            "of training is that of its main process without maps of files; – where it was not "
            "looked at. All rows are of one machine, each of the day it names, with the code of "
            "that day; it had other work besides.",
        ],
        tables=[
            Table(
                "Cost",
                ("originals", "duplicates", "cpu ms p50", "cpu ms p99", "clock ms p50",
                 "clock ms p99", "exhaustive cpu ms", "resident MB", "private MB", "folder MB",
                 "load s", "training min", "training cpu min", "training MB",
                 "measured on"),
                [each.row() for each in measured],
            ),
            Table(
                "What is found",
                ("originals", "right original is a candidate", "exhaustive best is a candidate",
                 "accuracy@1", "@3"),
                [each.quality() for each in measured],
            ),
        ],
        targets=[
            Target(f"{what}: p50 under 15 ms", f"{served.cpu_p50:.1f} ms of cpu",
                   served.cpu_p50 < 15),
            Target(f"{what}: p99 under 40 ms", f"{served.cpu_p99:.1f} ms of cpu",
                   served.cpu_p99 < 40),
            Target(f"{what}: under 3 GB resident", f"{served.resident:,.0f} MB",
                   served.resident < 3_000),
            Target(f"{required.duplicates:,} duplicates: two cores train in under 2 h",
                   f"{required.train_cpu_seconds / 120:.0f} min of cpu on each",
                   required.train_cpu_seconds / 120 < 120),
            Target(
                f"cost grows slower than the originals ({first_large.originals:,} to {last.originals:,})",
                f"{growth:.1f} times for {last.originals / first_large.originals:.0f} times as many",
                growth < last.originals / first_large.originals / 4,
            ),
        ],
    )  # fmt: skip


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("originals", type=int)
    parser.add_argument(
        "--mean-duplicates", type=int, metavar="N",
        help=f"of each original; {MEAN_DUPLICATES}, or {LARGEST_MEAN_DUPLICATES} from {LARGEST:,} "
        "originals on",
    )  # fmt: skip
    options = parser.parse_args()
    usual = LARGEST_MEAN_DUPLICATES if options.originals >= LARGEST else MEAN_DUPLICATES
    measured = measure(options.originals, options.mean_duplicates or usual)
    print(json.dumps(asdict(measured), indent=1))


if __name__ == "__main__":
    main()
