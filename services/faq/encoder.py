"""The sentence encoder: from a text to a vector that texts of the same meaning have nearly alike.

A transformer (Reimers and Gurevych 2019, "Sentence-BERT"), run by ONNX Runtime, which is imported only
where a model has an encoder. Its two files are part of the model folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.faq.space import Float32s
from services.faq.text import CleanText
from services.faq.wordpiece import SPECIAL, WordPiece
from services.serving.model_folder import ModelFolderError

GRAPH_FILE: Final = "encoder.onnx"
VOCABULARY_FILE: Final = "encoder_vocabulary.txt"
MOST_PIECES: Final = 64
"""Pieces of a text that are read, the first and the last one included: bounds the time it takes."""
MOST_CHARACTERS: Final = 2_048
"""Characters of a text that are read."""
MOST_VOCABULARY: Final = 1 << 22
"""Bytes of the vocabulary's file."""
INPUT: Final = "pieces"
"""int64 (pieces,)."""
OUTPUT: Final = "meaning"
"""float32 (dimensions,), of length 1."""


Encode = Callable[[Sequence[str]], Float32s]
"""From texts to their vectors, float32 (texts, dimensions)."""


def sentence_of(clean: CleanText) -> str:
    """Return what the encoder reads of a text: title and prose, no code."""
    text = f"{clean.title}. {clean.prose}" if clean.title else clean.prose
    return text[:MOST_CHARACTERS]


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder whose files are in `folder`."""

    folder: Path
    vocabulary: WordPiece
    session: Any
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Return the vectors, of length 1, float32 (texts, dimensions).

        One text after the other: its vector does not depend on the others, and none is filled up to
        the length of the longest.
        """
        found = np.empty((len(texts), self.dimensions), np.float32)
        for number, text in enumerate(texts):
            found[number] = self._run(self.vocabulary.encode(text, MOST_PIECES))
        return found

    def save(self, folder: Path) -> None:
        """Copy the encoder's files."""
        for name in (GRAPH_FILE, VOCABULARY_FILE):
            shutil.copyfile(self.folder / name, folder / name)

    def _run(self, pieces: Sequence[int]) -> Float32s:
        return self.session.run([OUTPUT], {INPUT: np.asarray(pieces, np.int64)})[0]


def load_encoder(folder: Path) -> Encoder:
    """Load the encoder of a model folder; the caller has verified the hashes of its files.

    Raises:
        ModelFolderError: a file is missing or does not fit, or ONNX Runtime is not installed.
    """
    vocabulary = _read_vocabulary(folder / VOCABULARY_FILE)
    graph = folder / GRAPH_FILE
    session = _session(graph)
    try:
        # The last piece is asked for, so that no question meets a number that the graph does not know.
        last = np.asarray([len(vocabulary.pieces) - 1], np.int64)
        meaning = session.run([OUTPUT], {INPUT: last})[0]
    except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no class of their own in common
        raise ModelFolderError(graph, "does not fit its vocabulary") from None
    if meaning.ndim != 1 or meaning.dtype != np.float32 or abs(np.linalg.norm(meaning) - 1) > 1e-3:
        raise ModelFolderError(graph, "does not return a vector of length 1")
    return Encoder(folder, vocabulary, session, len(meaning))


def _session(graph: Path) -> Any:
    """Open a session with one thread: questions are spread over processes."""
    try:
        import onnxruntime
    except ImportError:
        raise ModelFolderError(
            graph,
            "needs ONNX Runtime, which is not installed: "
            "pip install -r services/faq/requirements-embedding.txt",
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    if not graph.is_file():
        raise ModelFolderError(graph, "is missing; train the model again")
    try:
        return onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no class of their own in common
        raise ModelFolderError(graph, "does not hold a sentence encoder") from None


def _read_vocabulary(path: Path) -> WordPiece:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_VOCABULARY + 1)
    except FileNotFoundError:
        raise ModelFolderError(path, "is missing; train the model again") from None
    except OSError as error:
        raise ModelFolderError(path, f"cannot be read: {error.strerror}") from None
    pieces = content.decode(errors="replace").split("\n")[:-1]
    if len(content) > MOST_VOCABULARY or not set(SPECIAL) <= set(pieces):
        raise ModelFolderError(path, "does not hold the pieces of words of an encoder")
    return WordPiece(pieces)
