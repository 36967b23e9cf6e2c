"""Settings of the container registry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from infra.sections.base import Region, ResourceId, Secret, Section
from infra.sections.forms import matching

HubNamespace = Annotated[
    str, AfterValidator(matching(r"[a-z0-9]{4,30}", "4 to 30 lower-case letters and digits"))
]


class AcrSettings(Section):
    """Azure Container Registry."""

    sku: Literal["Basic", "Standard", "Premium"] = Field(
        default="Basic", description="Premium has private endpoints, retention, zones and replicas"
    )
    existing_id: ResourceId | None = Field(
        default=None, description="a registry that exists already, used instead of a new one"
    )
    private: bool = Field(
        default=False, description="reachable by private endpoint only; needs Premium"
    )
    untagged_retention_days: int | None = Field(
        default=None, ge=0, le=365,
        description="delete manifests without a tag after so many days; needs Premium",
    )  # fmt: skip
    replica_locations: tuple[Region, ...] = Field(
        default=(), description="further regions that hold a copy; needs Premium"
    )


class DockerHubSettings(Section):
    """Docker Hub."""

    namespace: HubNamespace = Field(description="user or organisation that owns the repositories")
    username: Annotated[str, StringConstraints(min_length=4, max_length=30)] = Field(
        description="account that pulls, and pushes where the stack builds"
    )
    token: Secret = Field(
        description="access token of that account; set it with `pulumi config set --secret`"
    )


class RegistrySettings(Section):
    """Where images are kept."""

    kind: Literal["acr", "docker_hub"] = Field(
        default="acr", description="Azure Container Registry or Docker Hub"
    )
    acr: AcrSettings = Field(default_factory=AcrSettings, description="used by kind acr")
    docker_hub: DockerHubSettings | None = Field(
        default=None, description="needed by kind docker_hub"
    )
