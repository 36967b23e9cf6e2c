"""The OpenAPI document is valid, complete and true."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from pydantic import BaseModel, Field

from services.serving.model import Operation, json_operation
from services.serving.openapi import openapi_document
from tests.services.serving.lever_service import LeverModel, LeverSettings
from tests.services.serving.live_service import ROOT, LiveService


@pytest.fixture(scope="module")
def document(lever: LiveService) -> dict[str, Any]:
    """What the lever service says of itself."""
    answer = lever.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        here = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return here.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    assert document["openapi"].startswith("3.1")


def test_every_schema_in_it_is_a_valid_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert references(document) <= known
    assert len(known) >= 5


def test_every_operation_is_there_and_no_other(document: dict[str, Any]) -> None:
    operations = {
        (method, path): operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert operations == {
        ("post", "/v1/pull"): "pull",
        ("get", "/livez"): "livez",
        ("get", "/readyz"): "readyz",
    }


def test_every_error_is_described_as_a_problem(document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/pull"]["post"]["responses"]

    for status in (400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 504):
        content = responses[str(status)]["content"]["application/problem+json"]
        assert content["schema"]["$ref"].endswith("/ProblemDetails")
    assert "Retry-After" in responses["503"]["headers"]
    assert "Retry-After" in responses["429"]["headers"]
    assert "WWW-Authenticate" in responses["401"]["headers"]


def test_a_key_is_asked_for_only_where_one_is_needed() -> None:
    model = LeverModel(LeverSettings())
    guarded = openapi_document(model, model.operations(), needs_key=True)

    assert guarded["security"] == [{"apiKey": []}, {"bearer": []}]
    assert guarded["paths"]["/livez"]["get"]["security"] == []
    assert openapi_document(model, model.operations(), needs_key=False)["security"] == []


def test_query_parameters_and_examples_are_described() -> None:
    class Query(BaseModel):
        top_k: int = Field(5, ge=1, description="how many")

    class Body(BaseModel):
        text: str

    class Searching(LeverModel):
        def operations(self) -> list[Operation[Any, Any]]:
            plain = json_operation(
                path="/v1/search",
                operation_id="search",
                summary="Search",
                request=Body,
                response=Body,
                prepare=lambda _: None,  # type: ignore[arg-type,return-value]
                examples={"short": {"text": "hello"}},
            )
            return [Operation(**{**vars(plain), "query": Query})]

    model = Searching(LeverSettings())
    document = openapi_document(model, model.operations(), needs_key=False)
    operation = document["paths"]["/v1/search"]["post"]
    parameter = next(each for each in operation["parameters"] if each["name"] == "top_k")

    schemathesis.openapi.from_dict(document).validate()
    assert (parameter["in"], parameter["required"]) == ("query", False)
    assert parameter["description"] == "how many"
    assert parameter["schema"]["minimum"] == 1
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert examples == {"short": {"value": {"text": "hello"}}}


HOOKS = "tests.services.schemathesis_hooks"
TIMELY = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]
positive_data_acceptance.expected-statuses = ["2xx", "503", "504"]

# No schema can say that a tensor's data have its shape.
[[operations]]
include-path-regex = "(infer|:predict)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "503", "504"]
"""


@pytest.mark.slow
def test_schemathesis_finds_no_difference_between_document_and_service(
    echo: LiveService, tmp_path: Path
) -> None:
    # A request may allow itself one millisecond, so 504 is a right answer.
    (tmp_path / "schemathesis.toml").write_text(TIMELY)
    url = f"http://127.0.0.1:{echo.port}/openapi.json"
    options = ("--checks", "all", "--max-examples", "40", "--seed", "1", "--no-color")
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", url, *options],
        cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "19 selected" in done.stdout
    assert "failed" not in done.stdout
