"""The whole configuration of a stack, checked before anything is declared.

Each field of :class:`Settings` is one key of the stack file, under the project's name:
``realtime-scoring:cluster``, ``realtime-scoring:resnet`` and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator

from infra.mistakes import Mistake, SettingsRefused, mistakes_of, without
from infra.rules import broken_rules
from infra.sections.access import AccessSettings
from infra.sections.base import ENCRYPTED_ONLY, Guid, Label, Region, Section
from infra.sections.cluster import ClusterSettings
from infra.sections.forms import matching
from infra.sections.gateway import ApiKeySettings, GatewaySettings
from infra.sections.monitoring import MonitoringSettings
from infra.sections.network import NetworkSettings
from infra.sections.registry import RegistrySettings
from infra.sections.security import SecuritySettings
from infra.sections.workloads import FaqSettings, ResnetSettings, WebSettings

PROJECT = "realtime-scoring"
Layer = Literal["platform", "services", "local"]
ImageName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-z0-9][A-Za-z0-9._/:@-]*", "an image's name, with its tag or digest")
    ),
]
StackName = Annotated[
    str,
    AfterValidator(matching(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){2}", "organization/project/stack")),
]
TagName = Annotated[
    str, AfterValidator(matching(r"[^<>%&\\?/]{1,512}", "a name without < > % & \\ ? /"))
]
TagValue = Annotated[
    str, AfterValidator(matching(r"(?s:.{0,256})", "a text of at most 256 characters"))
]


class Settings(Section):
    """A stack's settings."""

    environment: Literal["dev", "test", "prod"] = Field(
        default="dev",
        description="what the stack is for; prod refuses what production must not have",
    )
    layers: tuple[Layer, ...] = Field(
        default=("platform", "services"), min_length=1,
        description="what the stack holds: platform (Azure), services (Kubernetes), or local "
        "(containers on this machine, alone)",
    )  # fmt: skip
    platform_stack: StackName | None = Field(
        default=None,
        description="organization/project/stack that holds the platform, where this one holds the "
        "services alone",
    )  # fmt: skip
    name: Label = Field(default="scoring", description="first part of every Azure name")
    location: Region = Field(default="westeurope", description="Azure region, such as westeurope")
    subscription_id: Guid | None = Field(
        default=None, description="Azure subscription; needed by the layers platform and services"
    )
    tenant_id: Guid | None = Field(
        default=None, description="Entra tenant; needed by the layers platform and services"
    )
    tags: dict[TagName, TagValue] = Field(
        default={}, max_length=40, description="further tags of every Azure resource, such as owner"
    )
    images: Literal["build", "prebuilt"] = Field(
        default="build", description="build the images here, or take those that CI built, by digest"
    )
    base_image: ImageName | None = Field(
        default=None, description="base image of the builds instead of the Dockerfiles' pinned one"
    )
    network: NetworkSettings = Field(default_factory=NetworkSettings, description="the network")
    cluster: ClusterSettings = Field(default_factory=ClusterSettings, description="the cluster")
    registry: RegistrySettings = Field(
        default_factory=RegistrySettings, description="the container registry"
    )
    monitoring: MonitoringSettings = Field(
        default_factory=MonitoringSettings, description="logs, metrics, alerts"
    )
    security: SecuritySettings = Field(
        default_factory=SecuritySettings, description="Defender, key vault, policies, locks"
    )
    access: AccessSettings = Field(
        default_factory=AccessSettings, description="who may do what, by Entra object id"
    )
    gateway: GatewaySettings = Field(
        default_factory=GatewaySettings, description="the way in: TLS, limits, firewall"
    )
    api_keys: tuple[ApiKeySettings, ...] = Field(
        default=(), max_length=999,
        description="API keys by their hashes; without any, the services refuse everybody",
    )  # fmt: skip
    faq: FaqSettings = Field(default_factory=FaqSettings, description="the question service")
    resnet: ResnetSettings = Field(
        default_factory=ResnetSettings, description="the picture service"
    )
    web: WebSettings = Field(default_factory=WebSettings, description="the client application")

    @field_validator("platform_stack", "subscription_id", "tenant_id", "base_image", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        """Pulumi.yaml can declare no other default for a text that may be left out."""
        return None if value == "" else value

    @property
    def is_local(self) -> bool:
        """Whether the stack runs containers on this machine and nothing else."""
        return "local" in self.layers

    @property
    def has_platform(self) -> bool:
        """Whether the stack declares the platform."""
        return "platform" in self.layers

    @property
    def has_services(self) -> bool:
        """Whether the stack declares the Kubernetes workloads."""
        return "services" in self.layers


def read_settings(values: Mapping[str, Any], *, encrypted_only: bool = False) -> Settings:
    """The settings of a stack file's values, by key without the project's name.

    Rules across settings are checked even where single values are wrong, as far as the wrong
    values have no part in them: every mistake is reported at once.

    Args:
        values: as the stack file has them; a secret may be a text or pydantic's SecretStr.
        encrypted_only: refuse secrets that are plain texts.

    Raises:
        SettingsRefused: with one mistake a line.
    """
    mistakes: list[Mistake] = []
    context = {ENCRYPTED_ONLY: encrypted_only}
    left = dict(values)
    try:
        settings = Settings.model_validate(left, context=context)
    except ValidationError as error:
        mistakes = mistakes_of(error, Settings)
        settings = _settings_of_the_rest(without(left, error), context)
    wrong = {key for mistake in mistakes for key in (mistake.key, *mistake.because_of)}
    mistakes += [mistake for mistake in broken_rules(settings) if not mistake.touches(wrong)]
    if mistakes:
        raise SettingsRefused(sorted(mistakes, key=lambda mistake: mistake.key))
    return settings


def _settings_of_the_rest(values: Mapping[str, Any], context: dict[str, bool]) -> Settings:
    """The settings of the values that are right; the others' defaults stand for them."""
    try:
        return Settings.model_validate(values, context=context)
    except ValidationError as error:
        rest = without(values, error)
        return _settings_of_the_rest(rest, context) if rest != values else Settings()
