"""What the sentence encoder of ``--embedding minilm`` costs, and what 8-bit weights would do to it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.models import ROOT
from benchmarks.result import Result, Table
from services.faq.build_encoder import EmbeddingUnavailable, minilm
from services.faq.data import read_data
from services.faq.encoder import GRAPH_FILE, MOST_PIECES, Encoder, load_encoder, sentence_of

CORPUS: Final = ROOT / "services" / "faq" / "corpus"
SENTENCES: Final = 200
"""Questions of the corpus whose vectors are compared."""
ROUNDS: Final = 60
LENGTHS: Final = (20, 100, 400)
"""Characters of the texts that are timed."""
COLUMNS: Final = (
    "weights",
    *(f"ms: {length} characters" for length in LENGTHS),
    "file MB",
    "cosine with the exact vector, median",
    "least",
    "same nearest original",
)


def run() -> Result:
    """Time both kinds of weights in turn, in one thread, and compare their vectors."""
    data = read_data(CORPUS)
    duplicates = data.duplicates[:: max(1, len(data.duplicates) // SENTENCES)]
    questions = [sentence_of(each.text) for each in duplicates]
    originals = [sentence_of(each.text) for each in data.originals]
    with tempfile.TemporaryDirectory(prefix="faq-encoder.") as name:
        encoders = _encoders(Path(name))
        times = _milliseconds(list(encoders.values()), " ".join(questions))
        cells = _compared(list(encoders.values()), questions, originals)
        rows = [
            [kind, *(f"{each:.1f}" for each in times[number]), *cells[number]]
            for number, kind in enumerate(encoders)
        ]
    return Result(
        name="embedding",
        title="What a sentence embedding costs",
        notes=(
            "The encoder alone, all-MiniLM-L6-v2 in ONNX Runtime with one thread, text by text as the "
            f"service does: medians of {ROUNDS} rounds, the two kinds of weights in turn, in time of "
            f"the processor. Of a text, {MOST_PIECES} pieces of words are read at most. The vectors are "
            f"those of {len(questions)} questions of services/faq/corpus, for which the nearest of "
            f"{len(originals)} originals is looked up. What the embedding does for the answers, and what "
            "a whole question takes with it, `python -m services.faq evaluate` prints.",
        ),
        tables=(Table("Cost of one text", COLUMNS, rows),),
        targets=(),
    )


def _encoders(folder: Path) -> Mapping[str, Encoder]:
    """Write the encoder as it is, and once more with dynamic 8-bit weights."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    single, eight_bit = folder / "single", folder / "eight-bit"
    single.mkdir()
    try:
        exact = minilm(single)
    except EmbeddingUnavailable as error:
        raise SystemExit(f"python -m benchmarks embedding: {error}") from None
    shutil.copytree(single, eight_bit)
    quantize_dynamic(single / GRAPH_FILE, eight_bit / GRAPH_FILE, weight_type=QuantType.QInt8)
    return {"single precision, as served": exact, "8 bits, dynamic": load_encoder(eight_bit)}


def _milliseconds(encoders: Sequence[Encoder], text: str) -> list[list[float]]:
    """Median times of the beginnings of a text, (encoders, lengths)."""
    times = np.zeros((ROUNDS, len(encoders), len(LENGTHS)))
    for turn in times:
        for encoder, cells in zip(encoders, turn, strict=True):
            for place, length in enumerate(LENGTHS):
                began = time.thread_time()
                encoder.encode([text[:length]])
                cells[place] = 1000 * (time.thread_time() - began)
    return np.median(times, axis=0).tolist()


def _compared(
    encoders: Sequence[Encoder], questions: Sequence[str], originals: Sequence[str]
) -> list[list[str]]:
    """How far each encoder's vectors are from those of the first, as cells."""
    asked = [encoder.encode(questions) for encoder in encoders]
    known = [encoder.encode(originals) for encoder in encoders]
    nearest = [(one @ other.T).argmax(axis=1) for one, other in zip(asked, known, strict=True)]
    cells: list[list[str]] = []
    for number, encoder in enumerate(encoders):
        cosines = (asked[number] * asked[0]).sum(axis=1)
        cells.append(
            [
                f"{(encoder.folder / GRAPH_FILE).stat().st_size / 1e6:.0f}",
                f"{np.median(cosines):.3f}",
                f"{cosines.min():.3f}",
                f"{(nearest[number] == nearest[0]).mean():.1%}",
            ]
        )
    return cells
