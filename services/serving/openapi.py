"""The OpenAPI 3.1 document of a service, made from its operations and their schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services.serving.model import JSON_TYPE, MediaType, Model, Operation
from services.serving.problem import problem_type
from services.serving.protocols.described_paths import PATHS, DescribedPath

REF = "#/components/schemas/{model}"
PROBLEMS = {
    400: "Not valid JSON, cut short or corrupt",
    401: "No valid API key",
    403: "The API key is not for this service",
    404: "There is no such model or version",
    408: "The body took too long to arrive",
    413: "The body is larger than the limit",
    415: "Another media type or content coding",
    422: "The content does not fit",
    429: "This API key's rate is used up",
    500: "A fault of the service",
    503: "At capacity; try again after Retry-After",
    504: "Not ready before the deadline",
}
_PART = re.compile(r"<(\w+)>")
PROBES = {"/livez": "Whether the process works", "/readyz": "Whether to send requests"}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """An error as RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    error: str = Field(description="the same as detail, where v2 clients look")
    errors: list[FieldError] | None = None
    request_id: str | None = None


class ProbeStatus(BaseModel):
    """The answer of a probe."""

    status: str


def openapi_document(
    model: Model[Any, Any], operations: Sequence[Operation[Any, Any]], *, needs_key: bool
) -> dict[str, Any]:
    """The document that ``GET /openapi.json`` serves.

    Args:
        model: the model that answers.
        operations: every POST path.
        needs_key: whether the service has API keys.
    """
    described = PATHS if model.tensors() is not None else ()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{model.info.name} scoring service",
            "version": model.info.version,
            "description": (model.__doc__ or "").strip().splitlines()[0] if model.__doc__ else "",
        },
        "servers": [{"url": "/"}],
        "paths": {
            **{_template(each.path): {"post": _operation(each, model)} for each in operations},
            **{_template(each.path): {"get": _described(each, model)} for each in described},
            **{path: {"get": _probe(path, text)} for path, text in PROBES.items()},
        },
        "components": {
            "schemas": _schemas(operations, described),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"apiKey": []}, {"bearer": []}] if needs_key else [],
    }


def _template(path: str) -> str:
    return _PART.sub(r"{\1}", path)


def _operation(operation: Operation[Any, Any], model: Model[Any, Any]) -> dict[str, Any]:
    path = operation.path
    statuses = PROBLEMS.keys() - (() if _PART.search(path) else {404})
    return {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [*_path_parameters(path, model), *_parameters(operation)],
        "requestBody": {
            "required": True,
            "content": {
                name: _media_type(media_type) for name, media_type in operation.accepts.items()
            },
        },
        "responses": {
            "200": {
                "description": "The answer",
                "headers": _headers("X-Request-Id", "Server-Timing", "X-Model-Version"),
                "content": {
                    name: {"schema": _reference(operation.response)} if name == JSON_TYPE else {}
                    for name in operation.returns
                },
            },
            **{str(status): _problem(status, path) for status in sorted(statuses)},
        },
    }


def _described(each: DescribedPath, model: Model[Any, Any]) -> dict[str, Any]:
    content = {JSON_TYPE: {"schema": _reference(each.response)}}
    statuses = [401, 403] if each.needs_key else []
    parameters = _path_parameters(each.path, model)
    if parameters:
        statuses.append(404)
    described: dict[str, Any] = {
        "operationId": each.operation_id,
        "summary": each.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer", "content": content},
            **({"503": _refusal(each, content)} if each.may_say_no else {}),
            **{str(status): _problem(status, each.path) for status in statuses},
        },
    }
    return described if each.needs_key else {**described, "security": []}


def _refusal(each: DescribedPath, content: dict[str, Any]) -> dict[str, Any]:
    """What a path says no with: in the form of its yes, or as a problem."""
    if not each.says_no_alike:
        content = {problem_type(each.path): {"schema": _reference(ProblemDetails)}}
    return {"description": "No", "content": content}


def _path_parameters(path: str, model: Model[Any, Any]) -> list[dict[str, Any]]:
    values = {
        "model_name": list(dict.fromkeys((model.info.name, model.scope))),
        "model_version": [model.info.version, "latest"],
    }
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": values[name]},
        }
        for name in _PART.findall(path)
    ]


def _parameters(operation: Operation[Any, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {
            "name": "X-Request-Id",
            "in": "header",
            "description": "the caller's id of the request; another is made of none, or of one that "
            "is not 1 to 64 letters, digits, dots, underscores and hyphens",
            "schema": {"type": "string"},
        },
        {
            "name": "X-Request-Timeout-Ms",
            "in": "header",
            "description": "longest wait for the answer, up to the service's own deadline",
            "schema": {"type": "integer", "minimum": 1, "maximum": 600_000},
        },
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        for name, field in schema.get("properties", {}).items():
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", ()),
                    "description": field.get("description", ""),
                    "schema": field,
                }
            )
    return parameters


def _media_type(media_type: MediaType) -> dict[str, Any]:
    schema = media_type.schema
    content: dict[str, Any] = {
        "schema": _reference(schema) if isinstance(schema, type) else dict(schema)
    }
    if media_type.examples:
        content["examples"] = {
            name: {"value": value} for name, value in media_type.examples.items()
        }
    return content


def _problem(status: int, path: str) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": PROBLEMS[status],
        "content": {problem_type(path): {"schema": _reference(ProblemDetails)}},
    }
    headers = ["X-Request-Id"]
    if status in (429, 503):
        headers.append("Retry-After")
    if status == 401:
        headers.append("WWW-Authenticate")
    response["headers"] = _headers(*headers)
    return response


def _probe(path: str, text: str) -> dict[str, Any]:
    schema = {"application/json": {"schema": _reference(ProbeStatus)}}
    return {
        "operationId": path.strip("/"),
        "summary": text,
        "security": [],
        "responses": {
            "200": {"description": "Yes", "content": schema},
            "503": {"description": "No", "content": schema},
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    schemas: Mapping[str, dict[str, Any]] = {"Retry-After": {"type": "integer", "minimum": 1}}
    return {name: {"schema": schemas.get(name, {"type": "string"})} for name in names}


def _reference(schema: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=schema.__name__)}


def _schemas(
    operations: Sequence[Operation[Any, Any]], described: Sequence[DescribedPath]
) -> dict[str, Any]:
    requests = [
        media_type.schema
        for operation in operations
        for media_type in operation.accepts.values()
        if isinstance(media_type.schema, type)
    ]
    responses: list[type[BaseModel]] = [operation.response for operation in operations]
    responses += [each.response for each in described]
    responses += [ProblemDetails, FieldError, ProbeStatus]
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((schema, "validation") for schema in dict.fromkeys(requests)),
        *((schema, "serialization") for schema in dict.fromkeys(responses)),
    ]
    _, definitions = models_json_schema(modes, ref_template=REF)
    return definitions["$defs"]
