"""What a server says of itself and of its models, by both protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from services.serving.build import VERSION
from services.serving.model import ModelInfo
from services.serving.protocols.datatypes import CONFIGURATION_TYPES
from services.serving.protocols.signature import TensorInterface, TensorSpec

SERVER = "realtime-scoring"
EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration")


class ServerMetadata(BaseModel):
    """The server and the extensions of the protocol that it has."""

    name: str = SERVER
    version: str = VERSION
    extensions: list[str] = Field(default_factory=lambda: list(EXTENSIONS))


class Liveness(BaseModel):
    """Whether the process works."""

    live: bool


class Readiness(BaseModel):
    """Whether requests should be sent."""

    ready: bool


class ModelReadiness(BaseModel):
    """Whether a model takes requests."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """One tensor; -1 is a dimension of any size, the batch comes first."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """A model, its versions that can be asked for, and its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, Any] = Field(
        description="alternative_inputs: what may be sent instead of the input"
    )


class TensorConfiguration(BaseModel):
    """One tensor, without the batch."""

    name: str
    data_type: str
    format: str
    dims: list[int]


class ModelConfiguration(BaseModel):
    """What Triton's clients read of a model's configuration."""

    name: str
    platform: str
    backend: str
    max_batch_size: int = Field(description="most rows of one request")
    input: list[TensorConfiguration]
    output: list[TensorConfiguration]


class ModelList(BaseModel):
    """The models, by KServe's v1."""

    models: list[str]


class Alive(BaseModel):
    """The server is alive, by KServe's v1."""

    status: str = "alive"


def model_metadata(
    info: ModelInfo, interface: TensorInterface[Any, Any], versions: Sequence[str]
) -> ModelMetadata:
    """The metadata of a model.

    The protocol lists what a request must send, and clients count on one: of alternatives the
    first is listed, and the others are in the parameters.
    """
    first, *others = (_tensor(spec) for spec in interface.inputs)
    return ModelMetadata(
        name=info.name,
        versions=list(versions),
        platform=info.backend,
        inputs=[first],
        outputs=[_tensor(spec) for spec in interface.outputs],
        parameters={"alternative_inputs": [each.model_dump() for each in others]},
    )


def model_configuration(
    info: ModelInfo, interface: TensorInterface[Any, Any]
) -> ModelConfiguration:
    """The configuration of a model."""
    return ModelConfiguration(
        name=info.name,
        platform=info.backend,
        backend=info.backend,
        max_batch_size=interface.most_rows,
        input=[_configuration(interface.inputs[0])],
        output=[_configuration(spec) for spec in interface.outputs],
    )


def _tensor(spec: TensorSpec) -> TensorMetadata:
    return TensorMetadata(name=spec.name, datatype=spec.datatype, shape=list(spec.shape))


def _configuration(spec: TensorSpec) -> TensorConfiguration:
    return TensorConfiguration(
        name=spec.name,
        data_type=CONFIGURATION_TYPES[spec.datatype],
        format=spec.layout,
        dims=list(spec.shape[1:]),
    )
