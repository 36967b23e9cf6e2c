"""The picture classifier as the service sees it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, Literal

import numpy as np

from services.resnet.backends.backend import Backend
from services.resnet.classifier_folder import ClassifierFolder
from services.resnet.classify import classify_operation
from services.resnet.golden import relative_difference
from services.resnet.predecessor_score import score_operation
from services.resnet.preprocessing import Preprocessor, Tensor
from services.resnet.tensors import resnet_tensors
from services.resnet.top_classes import softmax
from services.serving.model import Model, ModelInfo, ModelRejected, Operation
from services.serving.problem import Problem
from services.serving.protocols.signature import TensorInterface

_log = logging.getLogger(__name__)

_WARM_UP_REPEATS: Final = 2
_BRIEF_SECONDS: Final = 0.025
"""Most that a picture may take the network where the event loop runs it."""


class ResnetModel(Model[Tensor, Tensor]):
    """Classifies pictures by a network, such as a convolutional one trained on ImageNet-1K.

    An item is a preprocessed picture, float32 of the transform's shape; an output is the
    probability of each class, float32 [classes].
    """

    scope: ClassVar[str] = "resnet"
    prepares_slowly: ClassVar[bool] = True

    def __init__(
        self,
        folder: ClassifierFolder,
        backend: Backend,
        preprocess: Preprocessor,
        *,
        max_batch: int,
        device: Literal["cpu", "cuda"] = "cpu",
        has_one_core: bool = False,
    ) -> None:
        # On a GPU the core decodes the next picture meanwhile.
        self.prepares_in_turn = has_one_core and device == "cpu"
        self.info = ModelInfo(
            name=folder.manifest.name,
            version=folder.manifest.version,
            sha256=folder.manifest.sha256,
            backend=backend.name,
            device="",  # known once it has run
        )
        self.preprocess = preprocess
        self.labels = folder.labels
        self._golden = folder.golden
        self._backend = backend
        self._max_batch = max_batch
        self._device = device
        self._gives_probabilities = folder.gives_probabilities

    def predict(self, items: Sequence[Tensor]) -> Sequence[Tensor]:
        """Classify a batch: one float32 [classes] of probabilities for each item."""
        outputs = self._backend.logits(np.stack(items))
        if not np.isfinite(outputs).all():
            raise Problem(422, "The network gave no finite answer for this picture.")
        return list(outputs if self._gives_probabilities else softmax(outputs))

    def warm_up(self) -> None:
        """Run every batch size that will be used and hold each answer against the golden one.

        Raises ModelRejected when an answer is off by more than the arithmetic explains, or when the
        network did not run where it was to.
        """
        seconds = math.inf
        for size in self._backend.warm_up_sizes(self._max_batch):
            batch = np.repeat(self._golden.batch, size, axis=0)
            expected = np.repeat(self._golden.logits, size, axis=0)
            for _ in range(_WARM_UP_REPEATS):
                began = time.perf_counter()
                self._check(self._backend.logits(batch), expected, size)
                seconds = min(seconds, (time.perf_counter() - began) / size)
        self._prove_device()
        self.scores_briefly = self.prepares_in_turn and seconds <= _BRIEF_SECONDS
        _log.info(
            "warm-up passed", extra={"backend": self._backend.name, "device": self.info.device}
        )

    def operations(self) -> Sequence[Operation[Any, Any]]:
        """The paths for new clients and for the predecessor's."""
        return (
            classify_operation(self.preprocess, self.labels, self.reference),
            score_operation(self.preprocess, self.labels),
        )

    def tensors(self) -> TensorInterface[Tensor, Tensor]:
        """Files of pictures, or their pixels, in; a probability of each class out."""
        return resnet_tensors(self.preprocess, self.preprocess.transform, self.labels)

    def _prove_device(self) -> None:
        """Ask the library where it computed, rather than the settings where it should have.

        A framework without its GPU libraries answers all the same, tens of times slower.
        """
        ran_on = self._backend.device
        self.info = replace(self.info, device=ran_on)
        if not ran_on.startswith(self._device):
            raise ModelRejected(
                f"{self.info.name} was to run on {self._device} and ran on {ran_on or 'nothing'}; "
                "give the container a GPU and an image whose libraries can use it, or set the "
                "device to cpu"
            )

    def _check(self, actual: Tensor, expected: Tensor, size: int) -> None:
        difference = relative_difference(actual, expected)
        if difference > self._backend.tolerance:
            raise ModelRejected(
                f"the warm-up output of {self.info.name} on {self._backend.name} for a batch of "
                f"{size} is off by {difference:.1e}, more than {self._backend.tolerance:.0e}; "
                "fetch the model again"
            )
