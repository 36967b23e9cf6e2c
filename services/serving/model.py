"""The interface between a model and the service around it.

The event loop runs :attr:`Operation.prepare` (parse, validate, decode), or threads where that may
take long; one batcher runs :meth:`Model.predict`, in a thread of its own or on the loop
(:attr:`Model.scores_briefly`); the loop then runs :attr:`Call.render`. A model therefore needs no
locks of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import orjson
from pydantic import BaseModel, ValidationError

from services.serving.header_values import HeaderValues
from services.serving.json_parts import more_parts_than
from services.serving.problem import Problem

if TYPE_CHECKING:
    from services.serving.protocols.signature import TensorInterface

Item = TypeVar("Item")
Output = TypeVar("Output")
Body = TypeVar("Body", bound=BaseModel)

JSON_TYPE = "application/json"

MOST_JSON_PARTS = 1000
"""Most values in a JSON document, those of nested objects and arrays included."""
MOST_FIELD_ERRORS = 20


class ModelRejected(Exception):
    """The model loaded but must not serve, such as after a wrong warm-up output."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model this is; ``sha256`` identifies the model folder it came from.

    ``device`` is where it was seen to run: ``cpu``, or ``cuda`` and the GPU's model.
    """

    name: str
    version: str
    sha256: str = ""
    backend: str = ""
    device: str = "cpu"


class ModelReference(BaseModel):
    """Which model gave an answer."""

    name: str
    version: str


@dataclass(slots=True)
class Timing:
    """What :attr:`Call.render` may say of time, in milliseconds since the request began."""

    elapsed_ms: float


@dataclass(slots=True)
class Incoming:
    """One request, already read, decompressed and within the limits."""

    content_type: str
    content_type_options: Mapping[str, str]
    body: bytes
    query: BaseModel | None = None
    headers: HeaderValues = field(default_factory=dict[str, str])
    request_id: str = ""


@dataclass(frozen=True)
class EncodedAnswer:
    """A response that is bytes already; anything else that is rendered becomes JSON."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Call(Generic[Item, Output]):
    """What one request asks of the model, and how its outputs become the response."""

    items: Sequence[Item]
    render: Callable[[Sequence[Output], Timing], object]


@dataclass(frozen=True)
class MediaType:
    """A request body of one media type, as the OpenAPI document describes it."""

    schema: type[BaseModel] | Mapping[str, object]
    examples: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True)
class Operation(Generic[Item, Output]):
    """One POST path of a service.

    ``path`` may have parts such as ``<model_name>``. ``prepare`` runs on the event loop or in a thread and
    raises :class:`Problem` for bad input; ``query`` is the model of the query string, validated
    before ``prepare`` sees it; ``returns`` are the media types of an answer.
    """

    path: str
    operation_id: str
    summary: str
    description: str
    accepts: Mapping[str, MediaType]
    response: type[BaseModel]
    prepare: Callable[[Incoming], Call[Item, Output]]
    query: type[BaseModel] | None = None
    returns: Sequence[str] = (JSON_TYPE,)


class Model(ABC, Generic[Item, Output]):
    """A model that can be served. One instance per process."""

    scope: ClassVar[str]
    """The scope that an API key needs to use this service, such as ``faq``."""
    prepares_slowly: ClassVar[bool] = False
    """Whether making items of a small request may take milliseconds, as decoding a picture does:
    then threads do it."""

    prepares_in_turn: bool = False
    """Whether who scores also prepares a request, once its turn has come: where model and preparation have
    one core between them, a second thread would only take it from the first. On the event loop a model
    raises :class:`services.serving.brevity.TakesLong` for what others should not wait for."""

    scores_briefly: bool = False
    """Whether scoring an item takes some milliseconds, of Python or of the one core there is: then the
    event loop does it, which a thread would only keep waiting. Known once the model has warmed up."""

    info: ModelInfo

    @abstractmethod
    def predict(self, items: Sequence[Item]) -> Sequence[Output]:
        """Score a batch; never called twice at once. Returns one output per item, in order."""

    @abstractmethod
    def operations(self) -> Sequence[Operation[Any, Any]]:
        """The POST paths of the service."""

    def tensors(self) -> TensorInterface[Item, Output] | None:
        """The tensors of the model, if it speaks the standard protocols."""
        return None

    def warm_up(self) -> None:
        """Run every shape that will be used and check the output.

        Raises:
            ModelRejected: the output is not the expected one; the service does not start.
        """

    @property
    def reference(self) -> ModelReference:
        """Name and version, as responses carry them."""
        return ModelReference(name=self.info.name, version=self.info.version)


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """The first fields that failed and why, without the values that were sent."""
    entries = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {"field": ".".join(str(part) for part in entry["loc"]), "message": entry["msg"]}
        for entry in entries[:MOST_FIELD_ERRORS]
    ]


def parse_json(body: bytes) -> object:
    """The JSON document in ``body``.

    Raises:
        Problem: 400 if it is none; 422 if it has so many parts that checking them would hold up
            everybody else. A part takes two bytes or more.
    """
    may_be_large = len(body) > 2 * MOST_JSON_PARTS
    if may_be_large and more_parts_than(MOST_JSON_PARTS, body):
        raise _too_many_parts()
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "The body is not valid JSON in UTF-8.") from None
    if may_be_large and _has_more_parts_than(MOST_JSON_PARTS, document):
        raise _too_many_parts()
    return document


def _too_many_parts() -> Problem:
    return Problem(422, f"The document has more than {MOST_JSON_PARTS:,} parts.")


def _has_more_parts_than(limit: int, document: object) -> bool:
    parts = 0
    open_parts = [document]
    while open_parts:
        part = open_parts.pop()
        if not isinstance(part, dict | list):
            continue
        inner = cast("list[object]", list(part.values()) if isinstance(part, dict) else part)
        parts += len(inner)
        if parts > limit:
            return True
        open_parts += inner
    return False


def validate(schema: type[Body], document: object, *, status: int = 422) -> Body:
    """``document`` as an instance of ``schema``; a :class:`Problem` of ``status`` if it is none."""
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        raise Problem(
            status, "The request does not fit the schema.", errors=field_errors(error)
        ) from None


def json_operation(
    *,
    path: str,
    operation_id: str,
    summary: str,
    description: str = "",
    request: type[Body],
    response: type[BaseModel],
    prepare: Callable[[Body], Call[Item, Output]],
    examples: Mapping[str, object] | None = None,
) -> Operation[Item, Output]:
    """An operation whose request body is one JSON object.

    Answers 415 to another media type, 400 to what is not JSON and 422 to what does not fit
    ``request``. A request without a media type is read as JSON, as public clients send it.
    """

    def prepare_json(incoming: Incoming) -> Call[Item, Output]:
        if incoming.content_type not in ("", JSON_TYPE):
            raise Problem(415, f"The body must be {JSON_TYPE}.", headers={"Accept": JSON_TYPE})
        return prepare(validate(request, parse_json(incoming.body)))

    return Operation(
        path=path,
        operation_id=operation_id,
        summary=summary,
        description=description,
        accepts={JSON_TYPE: MediaType(request, examples or {})},
        response=response,
        prepare=prepare_json,
    )
