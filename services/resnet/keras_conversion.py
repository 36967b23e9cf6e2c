"""From an ONNX graph of a convolutional classifier to a Keras network that answers the same.

Operators are those of ONNX's opset 13 and newer (onnx/onnx, docs/Operators.md). The network keeps
the graph's input, channels first; inside it is Keras's, channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnx.numpy_helper

from services.resnet.backends.backend import first_line
from services.resnet.backends.keras_library import keras

_LAST_TWO: Final = ({2, 3}, {-1, -2})


class NotConvertible(Exception):
    """The graph has a part that has no counterpart here; one line."""


def keras_of_onnx(path: Path) -> Any:
    """Build the network of an ONNX file with one input [n, 3, h, w] and one output [n, classes].

    Raises NotConvertible, naming the operator, for what it does not know.
    """
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # noqa: BLE001  # the reader raises many types
        raise NotConvertible(f"{path.name}: cannot be read ({first_line(error)})") from None
    return _Conversion(graph).network()


class _Conversion:
    """One graph: its tensors so far, by name, and the parameters of the layers that made them."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._arrays: dict[str, np.ndarray] = {
            each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer
        }
        self._parameters: list[tuple[Any, list[np.ndarray]]] = []
        self._tensors: dict[str, Any] = {}
        self._not_negative: set[str] = set()

    def network(self) -> Any:
        inputs = [each for each in self._graph.input if each.name not in self._arrays]
        if len(inputs) != 1 or len(self._graph.output) != 1:
            raise NotConvertible("the graph has not one input and one output")
        sides = [each.dim_value for each in inputs[0].type.tensor_type.shape.dim[1:]]
        pictures = keras.Input(tuple(sides), name="pictures")
        self._tensors[inputs[0].name] = keras.layers.Permute((2, 3, 1))(pictures)
        for node in self._graph.node:
            self._add(node)
        network = keras.Model(pictures, self._tensors[self._graph.output[0].name])
        for layer, values in self._parameters:
            layer.set_weights(values)
        return network

    def _add(self, node: Any) -> None:
        makers: Mapping[str, Callable[[Any, dict[str, Any]], Any]] = {
            "Conv": self._convolution,
            "Gemm": self._dense,
            "MaxPool": self._pooling,
            "Clip": self._clip,
            "Relu": lambda node, _: keras.layers.ReLU()(self._input(node)),
            "Add": lambda node, _: keras.layers.Add()([self._input(node, at) for at in (0, 1)]),
            "Concat": self._concatenation,
            "ReduceMean": self._mean,
            "GlobalAveragePool": lambda node, _: self._pooled(node),
            "Reshape": lambda node, _: keras.layers.Flatten()(self._input(node)),
            "Flatten": lambda node, _: keras.layers.Flatten()(self._input(node)),
            "Identity": lambda node, _: self._input(node),
            "Dropout": lambda node, _: self._input(node),
        }
        if node.op_type not in makers:
            raise NotConvertible(f"the operator {node.op_type} has no counterpart here")
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        self._tensors[node.output[0]] = makers[node.op_type](node, attributes)
        if node.op_type in ("Relu", "Clip"):
            self._not_negative.add(node.output[0])

    def _input(self, node: Any, at: int = 0) -> Any:
        tensor = self._tensors.get(node.input[at])
        if tensor is None:
            raise NotConvertible(f"{node.op_type} of a constant has no counterpart here")
        return tensor

    def _array(self, node: Any, at: int) -> np.ndarray | None:
        return self._arrays.get(node.input[at]) if len(node.input) > at else None

    def _convolution(self, node: Any, attributes: dict[str, Any]) -> Any:
        kernel, bias = self._array(node, 1), self._array(node, 2)
        if kernel is None or attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            raise NotConvertible("a Conv without fixed weights or with automatic padding")
        source, groups = self._padded(node, attributes), attributes.get("group", 1)
        options = {
            "kernel_size": kernel.shape[2:],
            "strides": tuple(attributes.get("strides", (1, 1))),
            "dilation_rate": tuple(attributes.get("dilations", (1, 1))),
            "use_bias": bias is not None,
        }
        if groups == 1:
            layer, weights = keras.layers.Conv2D(kernel.shape[0], **options), (2, 3, 1, 0)
        elif groups == source.shape[-1] == kernel.shape[0]:
            layer, weights = keras.layers.DepthwiseConv2D(**options), (2, 3, 0, 1)
        else:
            raise NotConvertible(f"a Conv of {groups} groups")
        return self._with(layer, source, kernel.transpose(weights), bias)

    def _dense(self, node: Any, attributes: dict[str, Any]) -> Any:
        kernel, bias = self._array(node, 1), self._array(node, 2)
        plain = attributes.get("alpha", 1) == attributes.get("beta", 1) == 1
        if kernel is None or not plain or attributes.get("transA", 0):
            raise NotConvertible("a Gemm that is no plain layer")
        kernel = kernel.T if attributes.get("transB", 0) else kernel
        layer = keras.layers.Dense(kernel.shape[1], use_bias=bias is not None)
        return self._with(layer, self._input(node), kernel, bias)

    def _with(self, layer: Any, source: Any, kernel: np.ndarray, bias: np.ndarray | None) -> Any:
        self._parameters.append((layer, [kernel, *([] if bias is None else [bias])]))
        return layer(source)

    def _pooling(self, node: Any, attributes: dict[str, Any]) -> Any:
        if attributes.get("ceil_mode", 0) or set(attributes.get("dilations", (1,))) != {1}:
            raise NotConvertible("a MaxPool with ceil_mode or dilations")
        if any(attributes.get("pads", ())) and node.input[0] not in self._not_negative:
            raise NotConvertible("a padded MaxPool of values that may be negative")
        layer = keras.layers.MaxPooling2D(
            attributes["kernel_shape"], strides=tuple(attributes.get("strides", (1, 1)))
        )
        return layer(self._padded(node, attributes))

    def _padded(self, node: Any, attributes: dict[str, Any]) -> Any:
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        if not (top or left or bottom or right):
            return self._input(node)
        return keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(self._input(node))

    def _clip(self, node: Any, _: dict[str, Any]) -> Any:
        low, high = self._array(node, 1), self._array(node, 2)
        if low is None or high is None or float(low) != 0:
            raise NotConvertible("a Clip that does not begin at 0")
        return keras.layers.ReLU(max_value=float(high))(self._input(node))

    def _concatenation(self, node: Any, attributes: dict[str, Any]) -> Any:
        if attributes["axis"] != 1:
            raise NotConvertible("a Concat that is not of channels")
        inputs = [self._input(node, at) for at in range(len(node.input))]
        return keras.layers.Concatenate(axis=-1)(inputs)

    def _mean(self, node: Any, _: dict[str, Any]) -> Any:
        axes = self._array(node, 1)
        if axes is None or set(axes.tolist()) not in _LAST_TWO:
            raise NotConvertible("a ReduceMean that is not of a picture's sides")
        return self._pooled(node)

    def _pooled(self, node: Any) -> Any:
        return keras.layers.GlobalAveragePooling2D(keepdims=True)(self._input(node))
