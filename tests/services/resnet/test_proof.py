"""What a network gives is told from its answers, before it is served as something else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from services.resnet.network_files import ONNX_FILE, NetworkFiles
from services.resnet.proof import Output, ProofFailed, prove
from services.resnet.transform import Transform

SIDE = 8
TRANSFORM = Transform(
    resize=SIDE,
    crop=SIDE,
    interpolation="bilinear",
    mean=(0.5, 0.5, 0.5),
    standard_deviation=(0.25, 0.25, 0.25),
)


def network(folder: Path, *operators: str, bias: Sequence[float], scale: float) -> NetworkFiles:
    """Write a mean over the picture, a seeded dense layer and `operators` behind it."""
    draw = np.random.default_rng(5)
    arrays = {
        "dense": (draw.standard_normal((len(bias), 3)) * scale).astype(np.float32),
        "bias": np.asarray(bias, np.float32),
    }
    nodes = [
        helper.make_node("GlobalAveragePool", ["pictures"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "dense", "bias"], ["step 0"], transB=1),
        *(
            helper.make_node(operator, [f"step {at}"], [f"step {at + 1}"])
            for at, operator in enumerate(operators)
        ),
    ]
    shapes = {"pictures": ["n", 3, SIDE, SIDE], f"step {len(operators)}": ["n", len(bias)]}
    given, answers = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    initial = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    graph = helper.make_graph(nodes, "small", [given], [answers], initial)
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(
        helper.make_model(graph, opset_imports=opsets, ir_version=10), str(folder / ONNX_FILE)
    )
    return NetworkFiles(folder, "")


def proved(files: NetworkFiles, classes: int, output: Output) -> None:
    prove(files, "onnxruntime", TRANSFORM, classes=classes, output=output)


@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("classes", [2, 10])
def test_a_sigmoid_for_each_class_is_refused(classes: int, output: Output, tmp_path: Path) -> None:
    files = network(tmp_path, "Sigmoid", bias=[0.3] * classes, scale=1)
    with pytest.raises(ProofFailed, match=r"do not sum to 1.*export it.*logits"):
        proved(files, classes, output)


def test_logits_that_lie_between_0_and_1_by_chance_are_logits(tmp_path: Path) -> None:
    """Those of the proof's pictures, which are much alike, may."""
    proved(network(tmp_path, bias=[0.4, 0.6], scale=0.1), 2, "logits")
    proved(network(tmp_path, "Relu", bias=[0.1, 0.2, 0.1, 0.2], scale=0.1), 4, "logits")


def test_logits_and_probabilities_are_told_apart(tmp_path: Path) -> None:
    plain = network(tmp_path, bias=[1, -1, 0], scale=1)
    proved(plain, 3, "logits")
    with pytest.raises(ProofFailed, match="gives logits; say --output logits"):
        proved(plain, 3, "probabilities")
    ended = network(tmp_path, "Softmax", bias=[1, -1, 0], scale=1)
    proved(ended, 3, "probabilities")
    with pytest.raises(ProofFailed, match="gives probabilities; say --output probabilities"):
        proved(ended, 3, "logits")


@pytest.mark.parametrize(
    ("operators", "output"),
    [((), "logits"), (("Sigmoid",), "logits"), (("Softmax",), "probabilities")],
)
def test_a_network_of_one_class_is_refused(
    operators: tuple[str, ...], output: Output, tmp_path: Path
) -> None:
    """Its softmax is 1, whatever the picture shows."""
    files = network(tmp_path, *operators, bias=[0.3], scale=1)
    with pytest.raises(ProofFailed, match=r"one value for a picture.*two outputs and two labels"):
        proved(files, 1, output)
