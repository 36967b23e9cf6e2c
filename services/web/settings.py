"""The settings of the client application."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.web.addresses import is_loopback, plain_address
from services.web.sign_in.settings import SignInSettings


class WebSettings(SignInSettings):
    """What the client application needs: where the services are, and the files of their keys."""

    model_config = SettingsConfigDict(env_prefix="WEB_", frozen=True, extra="forbid")

    metrics_port: int = Field(
        9080, ge=0, le=65535, description="port of GET /metrics on the same address; 0 for none"
    )
    faq_url: str = Field("http://127.0.0.1:8081", description="address of the question service")
    resnet_url: str = Field("http://127.0.0.1:8082", description="address of the picture service")
    faq_key_file: Path | None = Field(
        None,
        description="file that holds the API key of the question service and nothing else; may be "
        "left out where the service is on a loopback address",
    )
    resnet_key_file: Path | None = Field(
        None, description="file that holds the API key of the picture service, likewise"
    )
    upstream_seconds: float = Field(
        10.0, gt=0, le=600, description="longest to wait for a service before 504"
    )
    max_picture_bytes: int = Field(
        8 << 20, ge=1, le=1 << 30, description="largest picture that is passed on"
    )

    @field_validator("faq_url", "resnet_url")
    @classmethod
    def is_plain_address(cls, url: str) -> str:
        """Take an http(s) address with a host, without credentials, query or fragment."""
        return plain_address(url)

    @model_validator(mode="after")
    def keys_or_loopback(self) -> WebSettings:
        """A service on another machine always asks for a key: its absence is a mistake."""
        for url, key_file, name in (
            (self.faq_url, self.faq_key_file, "faq_key_file"),
            (self.resnet_url, self.resnet_key_file, "resnet_key_file"),
        ):
            if key_file is None and not is_loopback(url):
                raise ValueError(f"an API key ({name}) is needed for a service on another machine")
        return self
