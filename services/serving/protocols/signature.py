"""What a model says of its tensors; every standard protocol is made from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from services.serving.problem import Problem

Item = TypeVar("Item")
Output = TypeVar("Output")


class RequestParameters(BaseModel):
    """The ``parameters`` of a request that a model reads; it inherits this to add its own.

    Others are ignored: clients send reserved ones, such as ``binary_data_output``.
    """

    model_config = ConfigDict(extra="ignore", strict=True)


OTHER_PARTS = 1000
"""Of a request besides its tensors' data."""
OBJECTS_OF_A_ROW = 16
"""In which v1 may have wrapped its value, each with its member."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        shape: the batch first; -1 for a dimension of any size.
        layout: ``FORMAT_NCHW`` or ``FORMAT_NHWC`` for pictures, as model configurations say it.
        labels: names of the classes by index, for the classification extension.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    layout: str = "FORMAT_NONE"
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Tensor:
    """A tensor as it came in; its shape fits the :class:`TensorSpec` called ``name``.

    ``values`` has the batch first; of BYTES it is an array of ``bytes`` objects.
    """

    name: str
    values: NDArray[Any]

    @property
    def rows(self) -> int:
        """Size of the batch."""
        return len(self.values)

    def elements(self) -> list[bytes]:
        """The elements of a BYTES tensor that has one in each row."""
        return self.values.ravel().tolist()

    def texts(self) -> list[str]:
        """The same as text; a :class:`Problem` of status 400 where one is not UTF-8."""
        try:
            return [element.decode() for element in self.elements()]
        except UnicodeDecodeError:
            raise Problem(400, f"Input {self.name} holds bytes that are not UTF-8.") from None


@dataclass(frozen=True)
class TensorInterface(Generic[Item, Output]):
    """How tensors become a model's items, and its outputs become tensors.

    Attributes:
        inputs: alternatives, of which a request sends one; the first is what the model's metadata
            shows, and what a raw body is taken for.
        outputs: every output, in order.
        prepare: runs on the event loop, or in a thread, even the one that scores; returns one item per
            row, or raises :class:`Problem`.
        render: the arrays of all outputs by name, one row per output of the model.
        most_rows: largest batch of one request.
        predict: one output as a JSON value, for v1; without it, the row of each tensor.
        parameters: which ``parameters`` of a request ``render`` and ``predict`` want.
        example: a row of the first input as JSON has it, for the documentation.
    """

    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    prepare: Callable[[Tensor], Sequence[Item]]
    render: Callable[[Sequence[Output], Any], Mapping[str, NDArray[Any]]]
    most_rows: int = 64
    predict: Callable[[Output, Any], object] | None = None
    parameters: type[RequestParameters] = RequestParameters
    example: object = None

    @cached_property
    def most_json_parts(self) -> float:
        """Lists, objects and members of a request with the largest batch, however it is nested."""
        return OTHER_PARTS + self.most_rows * max(map(_parts_of_a_row, self.inputs))

    def predictions(self, outputs: Sequence[Output], parameters: RequestParameters) -> list[object]:
        """Each output as v1 gives it."""
        if self.predict is not None:
            return [self.predict(output, parameters) for output in outputs]
        rows = {name: _rows(array) for name, array in self.render(outputs, parameters).items()}
        if len(rows) == 1:
            return next(iter(rows.values()))
        return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]


def _parts_of_a_row(spec: TensorSpec) -> float:
    """Lists in which a row of an input may be nested, and objects in which it may be wrapped."""
    sizes = [size if size > 0 else math.inf for size in spec.shape[1:]]
    return OBJECTS_OF_A_ROW + sum(math.prod(sizes[:depth]) for depth in range(len(sizes)))


def bytes_array(elements: Sequence[bytes], shape: Sequence[int] = (-1, 1)) -> NDArray[Any]:
    """A BYTES tensor of these elements; by default one in each row."""
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)


def as_text(element: bytes) -> str:
    """A BYTES element in JSON; a :class:`Problem` of status 400 if it cannot be there."""
    try:
        return element.decode()
    except UnicodeDecodeError:
        raise Problem(
            400, "An output holds bytes that JSON cannot; ask for it as binary data."
        ) from None


def _rows(array: NDArray[Any]) -> list[object]:
    single = array.ndim == 2 and array.shape[1] == 1
    rows: list[Any] = (array[:, 0] if single else array).tolist()
    if array.dtype != object:
        return rows
    return [as_text(row) if single else [as_text(each) for each in row] for row in rows]
