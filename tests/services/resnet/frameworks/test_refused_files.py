"""What could run code when it is read is refused before it is read, in one line."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from services.resnet.__main__ import run
from tests.services.resnet.frameworks.small_network import Parts, write_parts


class Trap:
    """An object whose unpickling leaves a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def refused(network: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Package a network, which must fail in one line, and return the line."""
    labels, preprocessing = folder / "labels.txt", folder / "preprocessing.json"
    labels.write_text("a\nb\n")
    preprocessing.write_text(
        '{"resize": 32, "crop": 32, "interpolation": "bilinear", "mean": [0, 0, 0],'
        ' "standard_deviation": [1, 1, 1], "layout": "NHWC"}'
    )
    assert run(Parts(network, labels, preprocessing).arguments(folder / "model")) == 1
    assert not (folder / "model").exists()
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("network.h5", "HDF5"),
        ("network.hdf5", "HDF5"),
        ("network.pkl", "pickle"),
        ("network.joblib", "pickle"),
        ("network.pth", "pickle"),
        ("network.txt", "of no known kind"),
    ],
)
def test_kinds_that_are_not_read(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / name).write_bytes(pickle.dumps(Trap(trace)))
    assert said in refused(tmp_path / name, tmp_path, capsys)
    assert not trace.exists()


def test_a_folder_that_is_no_saved_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "network").mkdir()
    assert "is not a SavedModel" in refused(tmp_path / "network", tmp_path, capsys)
    assert "is missing" in refused(tmp_path / "nothing.keras", tmp_path, capsys)


@pytest.mark.parametrize("place", ["constants", "weights", "sample inputs"])
def test_a_torch_program_with_a_pickled_object(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_parts("torch.export", tmp_path / "good").network
    trace, network = tmp_path / "trace", tmp_path / "network.pt2"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(network, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if place != "sample inputs" and name.endswith(f"model_{place}_config.json"):
                content = content.replace(b'"config": {', b'"config": {"trap": {"path_name": '
                    b'"opaque_obj_0", "is_param": false, "use_pickle": true, "tensor_meta": null}, '
                ).replace(b"}, }", b"}}")  # fmt: skip
                assert b"opaque_obj_0" in content
            if place == "sample inputs" and "/sample_inputs/" in name:
                content = _torch_file(Trap(trace))
            target.writestr(name, content)
        root = source.namelist()[0].partition("/")[0]
        target.writestr(f"{root}/data/constants/opaque_obj_0", pickle.dumps(Trap(trace)))
    assert "holds pickled objects" in refused(network, tmp_path, capsys)
    assert not trace.exists()


def _torch_file(value: object) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.tensorflow
def test_a_keras_file_with_a_lambda(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from services.resnet.backends.keras_library import keras

    trace = tmp_path / "trace"
    path = str(trace)
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
            keras.layers.Lambda(lambda values: (open(path, "w").close(), values)[1]),
        ]
    )
    network.save(tmp_path / "network.keras")
    trace.unlink(missing_ok=True)
    assert "has a Lambda layer" in refused(tmp_path / "network.keras", tmp_path, capsys)
    assert not trace.exists()


@pytest.mark.tensorflow
def test_an_hdf5_file_under_another_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "network.keras").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(2048))
    assert "is not a Keras file" in refused(tmp_path / "network.keras", tmp_path, capsys)


@pytest.mark.tensorflow
def test_a_saved_model_that_reads_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    class Reader(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32)])
        def serve(self, pictures: Any) -> Any:
            secret = tf.strings.length(tf.io.read_file("/etc/hostname"))
            return tf.zeros([tf.shape(pictures)[0], 2]) + tf.cast(secret, tf.float32)

    module = Reader()
    tf.saved_model.save(module, str(tmp_path / "network"), signatures=module.serve)
    line = refused(tmp_path / "network", tmp_path, capsys)
    assert "reaches outside of its graph (ReadFile)" in line
