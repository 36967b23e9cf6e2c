"""The models as every peer serves them: this project's own scoring, without its server.

Runs in the peers' environments. What a server has to do with a request is cut in three, so that each
can put the parts where it wants them: ``prepare`` what was received, ``predict`` a batch, ``render``
one output as what becomes JSON.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

MATCHES = 10
CLASSES = 5
BATCH = 64
"""Most items that a tuned peer scores at once; as this project's service of questions does."""


class Served(Protocol):
    """A model in three parts."""

    def prepare(self, received: Any) -> Any:
        """One item of what was received: the question; the picture's bytes, or those in base64."""
        ...

    def predict(self, items: Sequence[Any]) -> Sequence[Any]:
        """One output for each item."""
        ...

    def render(self, output: Any) -> dict[str, object]:
        """The answer."""
        ...


def field_of(service: str) -> str:
    """What a request calls what it sends to be scored: the adapters read what the load names so."""
    return "question" if service == "faq" else "image"


@dataclass(frozen=True)
class Setup:
    """What a peer is asked to do, by environment variables, which its workers inherit."""

    service: str
    model: Path
    port: int
    is_tuned: bool
    deadline_seconds: float

    @classmethod
    def from_environment(cls) -> Setup:
        """The setup that the benchmark wrote with :meth:`environment`."""
        return cls(
            os.environ["PEER_SERVICE"],
            Path(os.environ["PEER_MODEL"]),
            int(os.environ["PEER_PORT"]),
            os.environ["PEER_CONFIGURATION"] == "tuned",
            float(os.environ["PEER_DEADLINE_SECONDS"]),
        )

    def environment(self) -> dict[str, str]:
        """The environment variables for :meth:`from_environment`."""
        return {
            "PEER_SERVICE": self.service,
            "PEER_MODEL": str(self.model),
            "PEER_PORT": str(self.port),
            "PEER_CONFIGURATION": "tuned" if self.is_tuned else "default",
            "PEER_DEADLINE_SECONDS": str(self.deadline_seconds),
        }

    @property
    def field(self) -> str:
        """What requests call the question or the picture."""
        return field_of(self.service)

    @property
    def batch(self) -> int:
        """Most items to score at once: as our service, which scores pictures one by one on a CPU."""
        return BATCH if self.is_tuned and self.service == "faq" else 1

    @property
    def queue(self) -> int:
        """Most requests that a tuned peer has in its house, as our services do."""
        return 2 * BATCH if self.service == "faq" else 64

    def open(self) -> Served:
        """Load the model."""
        return (ServedFaq if self.service == "faq" else ServedPictures)(self.model)


class ServedFaq:
    """The FAQ matcher."""

    def __init__(self, folder: Path) -> None:
        from services.faq.analysis import terms_of_all_posted
        from services.faq.storage import load_model
        from services.faq.stored_originals import REMEMBERED

        stored = load_model(folder)
        self._original = lru_cache(REMEMBERED)(stored.originals.__getitem__)
        self._cut, self._rank = terms_of_all_posted, stored.scorer.rank

    def prepare(self, received: str) -> str:
        """The question as it is: a batch is cut into terms together, as our service does."""
        return received

    def predict(self, items: Sequence[str]) -> Sequence[Any]:
        """One ranking for each question."""
        return self._rank(self._cut(items))

    def render(self, output: Any) -> dict[str, object]:
        """The best matches, as ``POST /v1/match`` shows them."""
        best = zip(
            output.positions[:MATCHES].tolist(), output.scores[:MATCHES].tolist(), strict=True
        )
        return {
            "matches": [self._shown(number, score) for number, score in best],
            "low_signal": output.low_signal,
        }

    def _shown(self, number: int, score: float) -> dict[str, object]:
        original = self._original(number)
        return {
            "question_id": original.id,
            "answer_id": original.answer_id,
            "title": original.title,
            "url": original.url,
            "score": score,
        }


class ServedPictures:
    """The picture classifier, on ONNX Runtime with one thread."""

    def __init__(self, folder: Path) -> None:
        from services.resnet.backends.onnx_graph import OnnxRuntimeBackend
        from services.resnet.classifier_folder import read_classifier_folder
        from services.resnet.decoding import PictureLimits
        from services.resnet.preprocessing import Preprocessor

        stored = read_classifier_folder(folder)
        self._backend = OnnxRuntimeBackend(stored, threads=1, spinning=False)
        limits = PictureLimits(pixels=25_000_000, side=16_384)
        self._preprocess = Preprocessor(stored.transform, limits, slots=1)
        self._labels = stored.labels

    def prepare(self, received: bytes | str) -> Any:
        """The network's input."""
        return self._preprocess(
            received if isinstance(received, bytes) else base64.b64decode(received)
        )

    def predict(self, items: Sequence[Any]) -> Sequence[Any]:
        """The probabilities of the classes for each picture."""
        from services.resnet.top_classes import softmax

        return list(softmax(self._backend.logits(np.stack(items))))

    def render(self, output: Any) -> dict[str, object]:
        """The most probable classes, as ``POST /v1/classify`` shows them."""
        from services.resnet.top_classes import top_classes

        return {
            "predictions": [
                {
                    "class_id": index,
                    "label": self._labels[index].label,
                    "score": float(output[index]),
                }
                for index in top_classes(output, CLASSES).tolist()
            ]
        }
