"""The smallest possible service: what a third model needs, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict

from services.serving.command_line import Command, main
from services.serving.model import Call, Model, ModelInfo, json_operation
from services.serving.protocols.signature import TensorInterface, TensorSpec, bytes_array
from services.serving.server import serve
from services.serving.settings import ServiceSettings


class EchoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ECHO_")
    model: Path = Path()


class Echo(BaseModel):
    text: str


class EchoModel(Model[str, str]):
    scope = "echo"
    info = ModelInfo("echo", "1")

    def predict(self, items: Sequence[str]) -> Sequence[str]:
        return items

    def operations(self):
        def prepare(echo: Echo) -> Call[str, str]:
            return Call([echo.text], lambda outputs, _: Echo(text=outputs[0]))

        about = {"path": "/v1/echo", "operation_id": "echo", "summary": "Echo a text"}
        return [json_operation(**about, request=Echo, response=Echo, prepare=prepare)]

    def tensors(self):
        text = [TensorSpec("text", "BYTES", (-1, 1))]
        return TensorInterface(
            text, text, prepare=lambda tensor: tensor.texts(),
            render=lambda texts, _: {"text": bytes_array([each.encode() for each in texts])},
        )  # fmt: skip


if __name__ == "__main__":
    command = Command("serve", "serve", EchoSettings, lambda s: serve(s, lambda _: EchoModel()))
    raise SystemExit(main("echo", "Echo service", [command]))
