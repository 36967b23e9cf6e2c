"""The model proves itself before it serves, and answers with probabilities."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from services.resnet.app import load
from services.resnet.classifier_folder import ClassifierFolder
from services.resnet.decoding import PictureLimits
from services.resnet.model import ResnetModel
from services.resnet.preprocessing import Preprocessor
from services.resnet.settings import ResnetSettings
from services.serving.command_line import CommandFailed
from services.serving.model import ModelRejected
from services.serving.model_folder import ModelFolderError
from services.serving.problem import Problem


@dataclass
class Recorded:
    """A backend that answers what it is told to, for what a real one does only when it is ill."""

    answer: np.ndarray
    name: str = "recorded"
    tolerance: float = 1e-3
    device: str = "cpu"
    seconds: float = 0.0

    def warm_up_sizes(self, max_batch: int) -> Sequence[int]:
        return (1, max_batch)

    def logits(self, batch: np.ndarray) -> np.ndarray:
        time.sleep(self.seconds)
        return np.repeat(self.answer, len(batch), axis=0)


def model(folder: ClassifierFolder, answer: np.ndarray) -> ResnetModel:
    preprocess = Preprocessor(folder.transform, PictureLimits(), slots=1)
    return ResnetModel(folder, Recorded(answer), preprocess, max_batch=4)


@pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
def test_a_real_model_passes_its_warm_up(lite0_folder: Path, backend: str) -> None:
    loaded = load(ResnetSettings(model=lite0_folder, backend=backend, max_batch=3, threads=1))
    loaded.warm_up()
    assert loaded.info.backend.startswith(backend)
    assert loaded.info.name == "efficientnet_lite0"
    assert len(loaded.info.sha256) == 64


@pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
def test_a_model_whose_answer_is_not_the_golden_one_is_rejected(
    seeded_folder: Path, backend: str
) -> None:
    loaded = load(ResnetSettings(model=seeded_folder, backend=backend, threads=1))
    loaded.warm_up()
    golden = loaded._golden
    loaded._golden = replace(golden, logits=golden.logits * 1.01)
    with pytest.raises(ModelRejected, match=r"warm-up output of squeezenet1_1 .* is off by"):
        loaded.warm_up()


@pytest.mark.parametrize(
    ("wanted", "ran_on", "proved"),
    [
        ("cpu", "cpu", True),
        ("cuda", "cuda NVIDIA H100", True),
        ("cuda", "cpu", False),
        ("cuda", "", False),
    ],
)
def test_a_network_that_ran_elsewhere_than_it_was_to_does_not_serve(
    seeded: ClassifierFolder, wanted: Literal["cpu", "cuda"], ran_on: str, proved: bool
) -> None:
    preprocess = Preprocessor(seeded.transform, PictureLimits(), slots=1)
    backend = Recorded(seeded.golden.logits, device=ran_on)
    started = ResnetModel(seeded, backend, preprocess, max_batch=4, device=wanted)
    if proved:
        started.warm_up()
        assert started.info.device == ran_on
    else:
        with pytest.raises(ModelRejected, match=r"was to run on cuda and ran on (cpu|nothing)"):
            started.warm_up()


def test_torch_says_where_its_answer_is_and_not_where_it_was_to_be(
    seeded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that takes the setting and computes on the CPU all the same."""
    import torch

    from services.resnet.backends import choice, torch_network

    monkeypatch.setattr(choice, "_cuda_is_usable", lambda _: True)
    monkeypatch.setattr(torch_network.torch, "device", lambda _: torch.zeros(1).device)
    started = load(
        ResnetSettings(
            model=seeded_folder, device="cuda", backend="torch", precision="fp32", max_batch=1
        )
    )
    with pytest.raises(ModelRejected, match="was to run on cuda and ran on cpu"):
        started.warm_up()


def test_one_wrong_class_among_a_thousand_is_noticed(seeded: ClassifierFolder) -> None:
    model(seeded, seeded.golden.logits).warm_up()
    wrong = seeded.golden.logits.copy()
    wrong[0, 417] += 0.01 * np.abs(wrong).max()
    with pytest.raises(ModelRejected):
        model(seeded, wrong).warm_up()


def test_a_model_that_answers_not_a_number_is_rejected(seeded: ClassifierFolder) -> None:
    with pytest.raises(ModelRejected):
        model(seeded, np.full((1, 1000), np.nan, dtype=np.float32)).warm_up()


def test_an_answer_that_is_not_finite_is_an_error_and_no_prediction(
    seeded: ClassifierFolder,
) -> None:
    broken = model(seeded, np.full((1, 1000), np.inf, dtype=np.float32))
    with pytest.raises(Problem) as raised:
        broken.predict([seeded.golden.batch[0]])
    assert raised.value.status == 422


def test_each_picture_of_a_batch_gets_its_own_probabilities(lite0_folder: Path) -> None:
    loaded = load(ResnetSettings(model=lite0_folder, backend="onnxruntime", threads=1))
    items = list(np.random.default_rng(5).standard_normal((3, 3, 224, 224), dtype=np.float32))
    outputs = loaded.predict(items)
    assert len(outputs) == 3
    for item, output in zip(items, outputs, strict=True):
        assert output.shape == (1000,)
        assert output.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(output, loaded.predict([item])[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("threads", "device", "in_turn"), [(1, "cpu", True), (2, "cpu", False), (1, "cuda", False)]
)
def test_pictures_are_decoded_by_the_thread_of_the_network_where_both_have_one_core(
    threads: int, device: Literal["cpu", "cuda"], in_turn: bool, seeded: ClassifierFolder
) -> None:
    preprocess = Preprocessor(seeded.transform, PictureLimits(), slots=1)
    backend = Recorded(seeded.golden.logits)
    made = ResnetModel(
        seeded, backend, preprocess, max_batch=1, device=device, has_one_core=threads == 1
    )
    assert made.prepares_in_turn == in_turn


@pytest.mark.parametrize(
    ("has_one_core", "seconds", "briefly"),
    [(True, 0.0, True), (True, 0.06, False), (False, 0.0, False)],
)
def test_a_quick_network_that_shares_its_one_core_is_scored_on_the_loop(
    has_one_core: bool, seconds: float, briefly: bool, seeded: ClassifierFolder
) -> None:
    preprocess = Preprocessor(seeded.transform, PictureLimits(), slots=1)
    backend = Recorded(seeded.golden.logits, seconds=seconds)
    made = ResnetModel(seeded, backend, preprocess, max_batch=2, has_one_core=has_one_core)
    assert not made.scores_briefly, "that is known once it has run"
    made.warm_up()
    assert made.scores_briefly == briefly


@pytest.mark.parametrize("threads", [1, 2])
def test_one_thread_is_one_core(threads: int, lite0_folder: Path) -> None:
    settings = ResnetSettings(model=lite0_folder, backend="onnxruntime", threads=threads)
    assert load(settings).prepares_in_turn == (threads == 1)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="nowhere"):
        load(ResnetSettings(model=tmp_path / "nowhere"))


def test_a_gpu_that_is_not_there_is_an_error_in_one_line(seeded_folder: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(CommandFailed, match="no GPU"):
        load(ResnetSettings(model=seeded_folder, device="cuda"))


def test_serving_by_onnxruntime_loads_neither_torch_nor_torchvision_nor_onnx(
    lite0_folder: Path, flower_jpeg: bytes
) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "import services.resnet.__main__, services.serving.application\n"
        "from services.resnet.app import load\n"
        "from services.resnet.settings import ResnetSettings\n"
        "model = load(ResnetSettings(model=Path(sys.argv[1]), device='cpu'))\n"
        "model.warm_up()\n"
        "[scores] = model.predict([model.preprocess(sys.stdin.buffer.read())])\n"
        "print(model.labels[scores.argmax()].label)\n"
        "print([name for name in ('torch', 'torchvision', 'onnx') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, lite0_folder],
        input=flower_jpeg, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout.decode(), done.stderr.decode()) == ("daisy\n[]\n", "")
