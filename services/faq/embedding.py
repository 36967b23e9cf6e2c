"""The sentence embedding that a model is trained with."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.faq.build_encoder import minilm
from services.faq.embedding_kind import EmbeddingKind
from services.faq.encoder import Encoder
from services.faq.known import Progress
from services.faq.space import Float32s


@dataclass(eq=False)
class Embedding:
    """An encoder, and the vectors of all texts that it has read: an evaluation trains many times on the
    same ones.
    """

    encoder: Encoder
    progress: Progress
    _read: dict[str, NDArray[np.float16]] = field(default_factory=dict)
    _files: Any = None
    """The folder of the encoder's files, which is removed with this."""

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Return the vectors of known texts, as a model folder stores them."""
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        if new:
            for text in self.progress(new, "reading sentences"):
                self._read[text] = self.encoder.encode([text])[0].astype(np.float16)
        if not texts:
            return np.zeros((0, self.encoder.dimensions), np.float32)
        return np.stack([self._read[text] for text in texts]).astype(np.float32)


def embedding_of(kind: EmbeddingKind, progress: Progress) -> Embedding | None:
    """Return the embedding of a kind; None of none.

    Raises:
        EmbeddingUnavailable: its packages are not there.
        ModelFolderError: ONNX Runtime is not there.
    """
    if kind is EmbeddingKind.NONE:
        return None
    files = tempfile.TemporaryDirectory(prefix="faq-encoder.")
    return Embedding(minilm(Path(files.name)), progress, _files=files)
