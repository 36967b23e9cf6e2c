"""The GET paths of the standard protocols in the OpenAPI document of a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from services.serving.protocols import metadata

MODEL = "/v2/models/<model_name>"
VERSION = f"{MODEL}/versions/<model_version>"


@dataclass(frozen=True)
class DescribedPath:
    """One GET path: what it says, in which shape, whether it may say no by 503, and so in which."""

    path: str
    operation_id: str
    summary: str
    response: type[BaseModel]
    needs_key: bool = True
    may_say_no: bool = False
    says_no_alike: bool = True


PATHS: Sequence[DescribedPath] = (
    DescribedPath("/", "alive", "Whether the server is alive (KServe v1)", metadata.Alive,
                  needs_key=False, may_say_no=True, says_no_alike=False),
    DescribedPath("/v2", "server_metadata", "The server and its extensions",
                  metadata.ServerMetadata),
    DescribedPath("/v2/", "server_metadata_slash", "The same", metadata.ServerMetadata),
    DescribedPath("/v2/health/live", "server_live", "Whether the process works", metadata.Liveness,
                  needs_key=False, may_say_no=True),
    DescribedPath("/v2/health/ready", "server_ready", "Whether to send requests",
                  metadata.Readiness, needs_key=False, may_say_no=True),
    DescribedPath(MODEL, "model_metadata", "The model's versions and tensors",
                  metadata.ModelMetadata),
    DescribedPath(VERSION, "version_metadata", "The same of one version", metadata.ModelMetadata),
    DescribedPath(f"{MODEL}/ready", "model_ready", "Whether the model takes requests",
                  metadata.ModelReadiness, needs_key=False, may_say_no=True),
    DescribedPath(f"{VERSION}/ready", "version_ready", "The same of one version",
                  metadata.ModelReadiness, needs_key=False, may_say_no=True),
    DescribedPath(f"{MODEL}/config", "model_config", "The model's configuration",
                  metadata.ModelConfiguration),
    DescribedPath(f"{VERSION}/config", "version_config", "The same of one version",
                  metadata.ModelConfiguration),
    DescribedPath("/v1/models", "models", "The models (KServe v1)", metadata.ModelList),
    DescribedPath("/v1/models/<model_name>", "v1_model_ready",
                  "Whether the model takes requests (KServe v1)", metadata.ModelReadiness,
                  needs_key=False, may_say_no=True),
)  # fmt: skip
