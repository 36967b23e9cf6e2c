"""One small network in NumPy, and the same in every form that a model folder may hold.

Two convolutions, a mean over the picture and a dense layer, with seeded weights. Keras's forms take
blue, green and red, channels last; the others red, green and blue, channels first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 32
CLASSES = 10
FORMS = {
    "torch.export": ("torch", "network.pt2"),
    "torchscript": ("torch", "network.torchscript.pt"),
    "onnx": ("onnxruntime", "network.onnx"),
    "keras": ("keras", "network.keras"),
    "saved_model": ("tensorflow", "network"),
}
"""Of each form, the backend that runs it and what its file is called."""

NEED_TENSORFLOW = ("keras", "saved_model")


@dataclass(frozen=True)
class Weights:
    """Kernels as ONNX lays them out, [out, in, height, width], and [classes, in]."""

    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    dense: np.ndarray
    dense_bias: np.ndarray


def seeded_weights() -> Weights:
    draw = np.random.default_rng(7)

    def values(*shape: int) -> np.ndarray:
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 10
        return (draw.standard_normal(shape) / np.sqrt(fan_in / 4)).astype(np.float32)

    return Weights(
        values(8, 3, 3, 3), values(8), values(16, 8, 3, 3), values(CLASSES, 16), values(CLASSES)
    )


def reference(batch: np.ndarray) -> np.ndarray:
    """The network in NumPy: float32 [n, 3, side, side], red first, to logits [n, classes]."""
    weights = seeded_weights()
    first = _convolve(batch, weights.first) + weights.first_bias[:, None, None]
    second = _convolve(np.maximum(first, 0), weights.second)
    pooled = np.maximum(second, 0).mean(axis=(2, 3))
    return pooled @ weights.dense.T + weights.dense_bias


def _convolve(batch: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(batch, kernel.shape[2:], axis=(2, 3))
    return np.einsum("ncyxhw,ochw->noyx", windows[:, :, ::2, ::2], kernel)


def preprocessing(form: str) -> dict[str, object]:
    """The same transform, as each form's network takes it."""
    mean, deviation = [0.5, 0.4, 0.3], [0.25, 0.2, 0.3]
    common: dict[str, object] = {"resize": SIDE, "crop": SIDE, "interpolation": "bilinear"}
    if form not in NEED_TENSORFLOW:
        return common | {"mean": mean, "standard_deviation": deviation}
    return common | {
        "mean": [255 * value for value in reversed(mean)],
        "standard_deviation": [255 * value for value in reversed(deviation)],
        "channels": "BGR",
        "layout": "NHWC",
        "divisor": 1.0,
    }


def expected_logits(picture: bytes) -> np.ndarray:
    """What the network says of a picture of side x side pixels, float32 [classes]."""
    pixels = np.asarray(Image.open(BytesIO(picture)), dtype=np.float32) / 255
    scaled = (pixels - [0.5, 0.4, 0.3]) / [0.25, 0.2, 0.3]
    return reference(scaled.transpose(2, 0, 1)[None].astype(np.float32))[0]


def picture(seed: int) -> bytes:
    """A PNG of side x side pixels, so that no filter comes between it and the network."""
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Parts:
    """What `package` is given."""

    network: Path
    labels: Path
    preprocessing: Path

    def arguments(self, model: Path) -> list[str]:
        return [
            "package", "--network", str(self.network), "--labels", str(self.labels),
            "--preprocessing", str(self.preprocessing), "--model", str(model),
        ]  # fmt: skip


def write_parts(form: str, folder: Path) -> Parts:
    """Write the network of one form, its labels and its preprocessing."""
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / FORMS[form][1]
    WRITERS[form](network)
    labels, settings = folder / "labels.txt", folder / "preprocessing.json"
    labels.write_text("".join(f"class {index}\n" for index in range(CLASSES)))
    settings.write_text(json.dumps(preprocessing(form)))
    return Parts(network, labels, settings)


def _torch_network() -> Any:
    import torch

    weights = seeded_weights()
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 16, 3, stride=2, bias=False),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, CLASSES),
    )
    state = {
        "0.weight": weights.first, "0.bias": weights.first_bias, "2.weight": weights.second,
        "6.weight": weights.dense, "6.bias": weights.dense_bias,
    }  # fmt: skip
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return network.eval()


def _write_torch_export(path: Path) -> None:
    import torch

    batch = torch.export.Dim("batch")
    example = (torch.zeros(2, 3, SIDE, SIDE),)
    program = torch.export.export(_torch_network(), example, dynamic_shapes=({0: batch},))
    torch.export.save(program, path)


def _write_torchscript(path: Path) -> None:
    import torch

    torch.jit.script(_torch_network()).save(str(path))


def _write_onnx(path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = seeded_weights()
    nodes = [
        helper.make_node("Conv", ["pictures", "first", "first_bias"], ["a"], strides=[2, 2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["c"], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("GlobalAveragePool", ["d"], ["e"]),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("Gemm", ["f", "dense", "dense_bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(value, name) for name, value in vars(weights).items()],
    )
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


def keras_network() -> Any:
    from services.resnet.backends.keras_library import keras

    weights = seeded_weights()
    network = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu", use_bias=False),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(CLASSES),
        ]
    )
    # Blue first: the kernel's input channels turn round.
    first, second = (
        kernel.transpose(2, 3, 1, 0) for kernel in (weights.first[:, ::-1], weights.second)
    )
    network.set_weights([first, weights.first_bias, second, weights.dense.T, weights.dense_bias])
    return network


def _write_keras(path: Path) -> None:
    keras_network().save(path)


def _write_saved_model(path: Path) -> None:
    keras_network().export(str(path), format="tf_saved_model", verbose=False)


WRITERS = {
    "torch.export": _write_torch_export,
    "torchscript": _write_torchscript,
    "onnx": _write_onnx,
    "keras": _write_keras,
    "saved_model": _write_saved_model,
}
