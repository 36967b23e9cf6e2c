"""Networks of Keras's own are fetched, and torch's are converted, with the answers they had."""

from __future__ import annotations

import functools
import http.server
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.launch import ROOT
from services.resnet.__main__ import run
from services.resnet.app import load
from services.resnet.classifier_folder import read_classifier_folder
from services.resnet.settings import ResnetSettings
from services.serving.model_folder import file_sha256
from tests.local_server import address_of, served

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[str, str, Any]]:
    """Weights of a MobileNet on a server: their address, hash and the network they are of."""
    from services.resnet.backends.keras_library import keras

    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNet(weights=None)
    folder = tmp_path / "published"
    folder.mkdir()
    path = folder / "mobilenet.weights.h5"
    network.save_weights(path)
    handler = functools.partial(Quiet, directory=str(folder))
    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"{address_of(server)}/{path.name}", file_sha256(path), network


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_weights_are_fetched_checked_and_served(
    published: tuple[str, str, Any], tmp_path: Path
) -> None:
    url, sha256, network = published
    folder = tmp_path / "model"
    fetch = [
        "fetch", "--framework", "tensorflow", "--architecture", "mobilenet", "--no-progress",
        "--model", str(folder), "--url", url, "--sha256",
    ]  # fmt: skip
    assert run([*fetch, "0" * 64]) == 1
    assert not folder.exists()
    assert run([*fetch, sha256]) == 0
    model = load(ResnetSettings(model=folder, threads=1, max_batch=2))
    model.warm_up()
    assert model.info.backend == "tensorflow-cpu-fp32"
    golden = read_classifier_folder(folder).golden
    expected = network(golden.batch, training=False).numpy()
    np.testing.assert_allclose(model.predict(list(golden.batch)), expected, atol=1e-4)
    assert model.labels[287].label == "lynx"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "published"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--architecture", "resnet1520"], "try resnet152"),
        (["--weights", "IMAGENET1K_V2"], "try imagenet or seeded"),
        (["--url", "http://127.0.0.1:1/w.weights.h5"], "need their SHA-256"),
        (["--url", "http://127.0.0.1:1/w.pkl", "--sha256", "0" * 64], "no file of Keras's weights"),
        (["--url", "http://127.0.0.1:1/w.h5", "--sha256", "0" * 64], "cannot be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(tmp_path / "model"), "--no-progress"]
    assert run(["fetch", "--framework", "keras", *model, *arguments]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert said in line


@pytest.fixture(scope="module")
def lite0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EfficientNet-Lite0 with its real weights, fetched where torch is."""

    folder = tmp_path_factory.mktemp("torch") / "lite0"
    command = [".venv/bin/python", "-m", "services.resnet", "fetch"]
    options = ["--architecture", "efficientnet_lite0", "--model", str(folder)]
    subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, timeout=280)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "tensorflow"])
def test_real_weights_of_torch_give_the_same_classes_and_probabilities(
    lite0: Path, framework: str, tmp_path: Path
) -> None:
    import sklearn.datasets

    folder = tmp_path / "converted"
    source = ["--source", str(lite0), "--model", str(folder)]
    assert run(["convert", *source, "--framework", framework]) == 0
    converted = load(ResnetSettings(model=folder, threads=1, max_batch=2))
    original = load(ResnetSettings(model=lite0, backend="onnxruntime", threads=1))
    converted.warm_up()  # against torch's golden answer
    for name, label in (("flower.jpg", "daisy"), ("china.jpg", "palace")):
        picture = (Path(sklearn.datasets.__file__).parent / "images" / name).read_bytes()
        (answer,) = converted.predict([converted.preprocess(picture)])
        (expected,) = original.predict([original.preprocess(picture)])
        np.testing.assert_allclose(answer, expected, atol=1e-4)
        assert np.argsort(-answer)[:5].tolist() == np.argsort(-expected)[:5].tolist()
        assert converted.labels[int(answer.argmax())].label == label


def test_a_graph_with_an_unknown_operator_is_one_line_that_names_it(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    from services.resnet.keras_conversion import NotConvertible, keras_of_onnx

    graph = helper.make_graph(
        [helper.make_node("Einsum", ["pictures"], ["logits"], equation="nchw->n")],
        "odd",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n"])],
    )
    onnx.save(helper.make_model(graph), tmp_path / "odd.onnx")
    with pytest.raises(NotConvertible, match="operator Einsum"):
        keras_of_onnx(tmp_path / "odd.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"\xff\xff")
    with pytest.raises(NotConvertible, match=r"broken\.onnx: cannot be read"):
        keras_of_onnx(tmp_path / "broken.onnx")
