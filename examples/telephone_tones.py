"""Which key of a telephone was pressed, from its tone: a model of sound on the same runtime.

``python -m examples.telephone_tones write --model models/tones``, then ``serve --model …``; ``POST
/v1/key`` takes a WAV file. A key is two tones at once (ITU-T Q.23): how much of each frequency is in
the sound gives a probability for each of the sixteen keys.
"""

from __future__ import annotations

import io
import json
import sys
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.serving.command_line import Command, main
from services.serving.model import (
    Call,
    Incoming,
    MediaType,
    Model,
    ModelInfo,
    ModelReference,
    Operation,
)
from services.serving.model_folder import new_model_folder, read_model_folder
from services.serving.problem import Problem
from services.serving.server import serve
from services.serving.settings import ServiceSettings

KIND, FILE = "telephone-tones", "tones.json"
TONES = {"keys": ["123A", "456B", "789C", "*0#D"],
         "rows_hz": [697, 770, 852, 941], "columns_hz": [1209, 1336, 1477, 1633],
         "rate_hz": 8000, "seconds": 0.1}  # fmt: skip
Sound = NDArray[np.float32]


class WriteSettings(BaseSettings):
    """What ``write`` needs."""

    model_config = SettingsConfigDict(env_prefix="TONES_", frozen=True, extra="forbid")
    model: Path = Field(description="model folder to write")


class TonesSettings(ServiceSettings):
    """What every service has, and no more."""

    model_config = SettingsConfigDict(env_prefix="TONES_", frozen=True, extra="forbid")


class KeyResponse(BaseModel):
    """The most probable key."""

    key: str
    score: float = Field(description="probability from 0 to 1")
    model: ModelReference


class TonesModel(Model[Sound, Sound]):
    """An item is a sound, float32 [samples]; an output is a probability of each key, [16]."""

    scope = "tones"

    def __init__(self, folder: Path) -> None:
        manifest = read_model_folder(folder, kind=KIND)
        tones = json.loads((folder / FILE).read_bytes())
        self.info = ModelInfo(manifest.name, manifest.version, manifest.sha256, "numpy")
        self._keys = "".join(tones["keys"])
        self._rate, self._samples = tones["rate_hz"], int(tones["rate_hz"] * tones["seconds"])
        times = np.arange(self._samples) / self._rate
        hertz = np.array([*tones["rows_hz"], *tones["columns_hz"]])
        self._waves = np.exp(-2j * np.pi * times[:, None] * hertz)

    def predict(self, items: Sequence[Sound]) -> Sequence[Sound]:
        """Correlate a batch of sounds with the tones, all at once."""
        energy = np.abs(np.stack(items) @ self._waves) ** 2
        pairs = energy[:, :4, None] * energy[:, None, 4:]
        return list(pairs.reshape(len(items), -1) / (pairs.sum(axis=(1, 2))[:, None] + 1e-12))

    def operations(self) -> Sequence[Operation[Sound, Sound]]:
        """One path, whose body is a file."""
        wav = {"audio/wav": MediaType({"type": "string", "format": "binary"})}
        return [
            Operation("/v1/key", "key", "Recognise a key", "A WAV file: 16 bits, mono, 8 kHz.",
                      wav, KeyResponse, self._prepare)
        ]  # fmt: skip

    def _prepare(self, incoming: Incoming) -> Call[Sound, Sound]:
        if incoming.content_type not in ("", "audio/wav"):
            raise Problem(415, "The body must be audio/wav.", headers={"Accept": "audio/wav"})

        def render(outputs: Sequence[Sound], _: object) -> KeyResponse:
            best = int(outputs[0].argmax())
            score = float(outputs[0][best])
            return KeyResponse(key=self._keys[best], score=score, model=self.reference)

        return Call([self._sound(incoming.body)], render)

    def _sound(self, body: bytes) -> Sound:
        try:
            with wave.open(io.BytesIO(body)) as file:
                form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                frames = file.readframes(self._samples)
        except (wave.Error, EOFError, ValueError):
            raise Problem(422, "The body is not a WAV file.") from None
        if form != (1, 2, self._rate) or len(frames) < 2 * self._samples:
            raise Problem(422, "The sound must be mono, 16 bits, 8 kHz and at least 0.1 s long.")
        return np.frombuffer(frames, "<i2").astype(np.float32) / 32768


def write(settings: WriteSettings) -> None:
    """Write the model folder, with the hash of its file in the manifest."""
    with new_model_folder(settings.model, kind=KIND, name="tones", version="1") as draft:
        (draft.folder / FILE).write_text(json.dumps(TONES))


def run_service(settings: TonesSettings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    serve(settings, lambda each: TonesModel(each.model))


if __name__ == "__main__":
    sys.exit(main("examples.telephone_tones", "Keys of a telephone by their tones.", [
        Command("write", "write the model folder", WriteSettings, write),
        Command("serve", "serve it over HTTP", TonesSettings, run_service),
    ]))  # fmt: skip
