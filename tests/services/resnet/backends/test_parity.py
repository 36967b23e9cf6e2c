"""Both backends give one network's answers, and the right ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.resnet.backends.backend import Backend
from services.resnet.backends.onnx_graph import OnnxRuntimeBackend
from services.resnet.backends.torch_network import TorchBackend
from services.resnet.classifier_folder import ClassifierFolder, read_classifier_folder
from services.resnet.decoding import PictureLimits
from services.resnet.golden import relative_difference
from services.resnet.preprocessing import Preprocessor
from services.resnet.top_classes import softmax, top_classes

BACKENDS: dict[str, Callable[[ClassifierFolder], Backend]] = {
    "onnxruntime": lambda folder: OnnxRuntimeBackend(folder, threads=1, spinning=False),
    "torch": lambda folder: TorchBackend(folder, device="cpu", threads=1, precision="fp32"),
}


def agree(folder: ClassifierFolder, batch: np.ndarray) -> None:
    outputs = [make(folder).logits(batch) for make in BACKENDS.values()]
    assert outputs[0].shape == (len(batch), 1000)
    assert relative_difference(outputs[0], outputs[1]) < 1e-4


@pytest.mark.parametrize("count", [1, 2, 5])
def test_both_agree_for_any_size_of_batch(lite0: ClassifierFolder, count: int) -> None:
    batch = np.random.default_rng(count).standard_normal((count, 3, 224, 224), dtype=np.float32)
    agree(lite0, batch)


def test_both_agree_for_seeded_weights(seeded: ClassifierFolder) -> None:
    agree(seeded, seeded.golden.batch)


@pytest.mark.parametrize("backend", list(BACKENDS))
def test_a_picture_gives_the_same_answer_alone_and_among_others(
    lite0: ClassifierFolder, backend: str
) -> None:
    run = BACKENDS[backend](lite0).logits
    batch = np.random.default_rng(3).standard_normal((4, 3, 224, 224), dtype=np.float32)
    together = run(batch)
    alone = np.concatenate([run(batch[index : index + 1]) for index in range(4)])
    assert relative_difference(alone, together) < 1e-4


@pytest.mark.parametrize("backend", list(BACKENDS))
@pytest.mark.parametrize(("picture", "label"), [("flower_jpeg", "daisy"), ("china_jpeg", "palace")])
def test_real_weights_recognise_real_pictures(
    lite0: ClassifierFolder,
    backend: str,
    picture: str,
    label: str,
    request: pytest.FixtureRequest,
) -> None:
    preprocess = Preprocessor(lite0.transform, PictureLimits(), slots=1)
    item = preprocess(request.getfixturevalue(picture))
    probabilities = softmax(BACKENDS[backend](lite0).logits(item[None]))[0]
    best = int(top_classes(probabilities, 1)[0])
    assert lite0.labels[best].label == label
    assert probabilities[best] > 0.25


@pytest.mark.slow
def test_both_agree_for_resnet152(fetched: Callable[[str, str], Path]) -> None:
    folder = read_classifier_folder(fetched("resnet152", "seeded"))
    assert folder.manifest.details["parameters"] == 60_192_808
    assert np.abs(folder.golden.logits).max() < 10
    agree(folder, folder.golden.batch)
