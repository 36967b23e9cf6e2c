"""The settings that every service has; a service adds its own by inheriting."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.serving.cpu import available_cpus


class ServerSettings(BaseSettings):
    """What any HTTP server of this project needs."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="port of the API")
    metrics_port: int = Field(
        9090, ge=0, le=65535, description="port of GET /metrics on the same address; 0 for none"
    )
    drain_seconds: float = Field(
        0.0, ge=0, le=600,
        description="after SIGTERM, go on accepting requests for so long while not ready; "
        "longer than load balancers take to notice",
    )  # fmt: skip
    stop_seconds: int = Field(
        30, ge=1, le=600, description="then, how long to wait for requests under way"
    )
    body_seconds: float = Field(
        15.0, gt=0, le=600, description="how long a request body may take to arrive"
    )
    access_log: bool = Field(
        True,
        description="log one line per request; refusals of a full service are counted by the second",
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.metrics_port == self.port:
            raise ValueError("port and metrics_port must differ")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def request_threads(self) -> int:
        """Threads that answer Flask's requests."""
        return 32


class ServiceSettings(ServerSettings):
    """What every scoring service needs: its model, its keys and its limits."""

    model: Path = Field(description="model folder")
    keys: Path | None = Field(
        None, description="API key file (JSON); may be left out on a loopback address"
    )
    max_body_bytes: int = Field(
        64 << 10, ge=1, le=1 << 30, description="largest request body, also once decompressed"
    )
    max_batch: int = Field(
        16, ge=1, le=4096, description="most items that the model scores at once"
    )
    queue_limit: int = Field(
        64, ge=1, le=65536,
        description="most items waiting or being scored before requests are refused with 503",
    )  # fmt: skip
    queue_bytes: int = Field(
        64 << 20, ge=1, le=1 << 40,
        description="most bytes of request bodies held at once before requests are refused with "
        "503; a body that does not declare its size counts as the largest",
    )  # fmt: skip
    deadline_ms: int = Field(
        5000, ge=1, le=600_000,
        description="longest a request may wait for its answer before 504; a request can ask "
        "for less by the header X-Request-Timeout-Ms",
    )  # fmt: skip
    requests_per_second: float = Field(
        0.0, ge=0, description="rate allowed to one API key before 429; 0 for no limit"
    )
    tracing: bool = Field(
        False, description="send OpenTelemetry traces (OTEL_EXPORTER_OTLP_ENDPOINT says where); "
        "needs the packages of services/serving/requirements-tracing.txt",
    )  # fmt: skip
    model_check_seconds: float = Field(
        5.0, ge=0, le=86_400,
        description="how often to look whether the model folder holds another model, which is "
        "then put in this one's place; 0 for only on SIGHUP",
    )  # fmt: skip
    previous_model_seconds: float = Field(
        600.0, ge=0, le=86_400,
        description="how long the model before can still be asked for by its version, and how long "
        "it takes memory",
    )  # fmt: skip
    threads: int = Field(
        0, ge=0, le=1024, description="CPU threads of the model; 0 for all that are available"
    )

    @model_validator(mode="after")
    def keys_or_loopback(self) -> ServiceSettings:
        """Refuse to open an unprotected service to other machines."""
        if self.keys is None and not self.is_loopback:
            raise ValueError(f"an API key file (keys) is needed to listen on {self.host}")
        return self

    @property
    def model_threads(self) -> int:
        """CPU threads of the model, never more than the container may use by default."""
        return self.threads or available_cpus()

    @property
    def request_threads(self) -> int:
        """Threads that answer whatever needs no model: probes, metadata, pages."""
        return 8

    @property
    def prepare_threads(self) -> int:
        """Threads that prepare what takes long, such as pictures."""
        return max(2, self.model_threads)
