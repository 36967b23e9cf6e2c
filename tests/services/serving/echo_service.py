"""The smallest possible service: what a third model needs, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict

from services.serving.command_line import Command, main
from services.serving.model import Call, Model, ModelInfo, json_operation
from services.serving.server import serve
from services.serving.settings import ServiceSettings


class EchoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ECHO_")
    model: Path = Path()


class Echo(BaseModel):
    text: str


class EchoModel(Model[str, str]):
    """Returns what it is sent."""

    scope = "echo"
    info = ModelInfo("echo", "1")

    def predict(self, items: Sequence[str]) -> Sequence[str]:
        return items

    def operations(self):
        return [json_operation(path="/v1/echo", operation_id="echo", summary="Echo a text", description="", request=Echo, response=Echo, prepare=lambda echo: Call([echo.text], lambda outputs, timing: Echo(text=outputs[0])))]  # fmt: skip  # noqa: E501


if __name__ == "__main__":
    raise SystemExit(main("echo", "Echo service", [Command("serve", "serve", EchoSettings, lambda settings: serve(settings, lambda _: EchoModel()))]))  # fmt: skip  # noqa: E501
