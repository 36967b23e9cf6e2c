"""A service that does what the texts it is sent say: sleep, burn CPU, fail, answer wrongly.

``sleep:0.5`` sleeps, ``burn:0.5`` computes, ``fail`` raises an error that quotes the text,
``extra`` returns one output too many, ``exit`` ends the process; ``prepare:fail`` and
``render:fail`` raise outside the model; ``frozen`` and ``mime types`` tell what was done
before the first request, ``thread`` which one scores, ``preparing thread`` which one prepares,
``preparing long`` the same for one that takes too long for the event loop,
``prepared`` how many requests were prepared before this one; ``exchanges`` tells how many requests
are kept in memory, of which none is collected after ``leave garbage``. Any other text comes back as it is.
"""

from __future__ import annotations

import gc
import itertools
import mimetypes
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import SettingsConfigDict

from services.serving.brevity import TakesLong, must_be_brief
from services.serving.command_line import Command, main
from services.serving.model import (
    Call,
    Model,
    ModelInfo,
    ModelRejected,
    Operation,
    Timing,
    json_operation,
)
from services.serving.model_folder import read_model_folder
from services.serving.scoring_exchange import ScoringExchange
from services.serving.server import serve
from services.serving.settings import ServiceSettings


class LeverSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LEVER_")

    model: Path = Field(Path(), description="model folder, if read_model is set")
    read_model: bool = Field(False, description="read the model folder before serving")
    reject: bool = Field(False, description="fail the warm-up")
    load_seconds: float = Field(0.0, description="how long loading takes")
    brief: bool = Field(False, description="score on the event loop")
    in_turn: bool = Field(False, description="prepare requests in their turn")


class Levers(BaseModel):
    texts: list[Annotated[str, Field(max_length=200_000)]] = Field(min_length=1, max_length=1000)


class Pulled(BaseModel):
    texts: list[str]
    pid: int
    elapsed_ms: float


class LeverModel(Model[str, str]):
    """Does what it is told."""

    scope = "lever"
    info = ModelInfo("lever", "7", sha256="ab" * 32, backend="none")

    def __init__(self, settings: LeverSettings) -> None:
        self.scores_briefly = settings.brief
        if settings.read_model:
            manifest = read_model_folder(settings.model, kind="lever")
            self.info = ModelInfo("lever", manifest.version, manifest.sha256, "none")
            if (settings.model / "weights").read_text() == "slow":
                self.scores_briefly = False
        time.sleep(settings.load_seconds)
        self._reject = settings.reject
        self.prepares_in_turn = settings.in_turn

    def warm_up(self) -> None:
        if self._reject:
            raise ModelRejected("the warm-up output differs from the expected one")

    def predict(self, items: Sequence[str]) -> Sequence[str]:
        outputs = [pull(item) for item in items]
        return [*outputs, "one too many"] if "extra" in items else outputs

    def operations(self) -> Sequence[Operation[str, str]]:
        return [
            json_operation(
                path="/v1/pull",
                operation_id="pull",
                summary="Do what the texts say",
                description="",
                request=Levers,
                response=Pulled,
                prepare=prepare,
            )
        ]


prepared = itertools.count()


def prepare(levers: Levers) -> Call[str, str]:
    before = next(prepared)
    if levers.texts == ["prepared"]:
        levers.texts = [str(before)]
    if levers.texts[0].startswith("preparing long") and must_be_brief():
        raise TakesLong
    if levers.texts[0].startswith("preparing"):
        levers.texts = [threading.current_thread().name]
    if levers.texts[0].startswith("prepare:fail"):
        raise ValueError(f"cannot prepare {levers.texts[0]}")

    def render(outputs: Sequence[str], timing: Timing) -> Pulled:
        if outputs[0].startswith("render:fail"):
            raise ValueError(f"cannot render {outputs[0]}")
        return Pulled(texts=list(outputs), pid=os.getpid(), elapsed_ms=timing.elapsed_ms)

    return Call(levers.texts, render)


def pull(item: str) -> str:
    name, _, argument = item.partition(":")
    if name == "sleep":
        time.sleep(float(argument))
    elif name == "burn":
        until = time.process_time() + float(argument)
        while time.process_time() < until:
            pass
    elif name == "fail":
        raise ValueError(f"the model cannot score {item!r}")
    elif name == "frozen":
        return str(gc.get_freeze_count())
    elif name == "mime types":
        return str(mimetypes.inited)
    elif name == "thread":
        return threading.current_thread().name
    elif name == "leave garbage":
        gc.disable()
    elif name == "exchanges":
        return str(sum(isinstance(each, ScoringExchange) for each in gc.get_objects()))
    elif name == "exit":
        os._exit(3)
    return item


def serve_levers(settings: LeverSettings) -> None:
    serve(settings, LeverModel)


if __name__ == "__main__":
    commands = [Command("serve", "serve the levers", LeverSettings, serve_levers)]
    raise SystemExit(main("lever", "Lever service", commands))
