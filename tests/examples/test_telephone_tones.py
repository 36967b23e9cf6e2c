"""The documented example of a model of another kind, started for real."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from services.launch import LaunchedService, running
from tests.conftest import run_command

HERTZ = {"5": (770, 1336), "#": (941, 1477), "1": (697, 1209)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedService]:
    folder = tmp_path_factory.mktemp("tones")
    run_command("examples.telephone_tones", "write", "--model", folder / "model")
    model = ("--model", folder / "model")
    with running("examples.telephone_tones", *model, log_folder=folder) as service:
        yield service


def sound(*hertz: int, rate: int = 8000, seconds: float = 0.2) -> bytes:
    times = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(0).normal(0, 500, times.size)
    samples = sum(8000 * np.sin(2 * np.pi * each * times + each) for each in hertz) + noise
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("key", list(HERTZ))
def test_a_key_is_recognised_among_noise(service: LaunchedService, key: str) -> None:
    headers = {"Content-Type": "audio/wav"}
    answer = httpx.post(f"{service.url}/v1/key", content=sound(*HERTZ[key]), headers=headers)
    assert answer.status_code == 200
    assert answer.json()["key"] == key
    assert answer.json()["score"] > 0.9
    assert answer.json()["model"] == {"name": "tones", "version": "1"}


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"no sound", "audio/wav", 422),
        (sound(697, 1209, rate=16_000), "audio/wav", 422),
        (sound(697, 1209, seconds=0.05), "audio/wav", 422),
        (sound(697, 1209)[:60], "audio/wav", 422),
        (b"{}", "application/json", 415),
        (bytes(100_000), "audio/wav", 413),
    ],
)
def test_what_is_no_such_sound_is_a_problem_in_one_line(
    service: LaunchedService, body: bytes, media_type: str, status: int
) -> None:
    answer = httpx.post(f"{service.url}/v1/key", content=body, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_every_service_has_it_has_too(service: LaunchedService) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    assert "audio/wav" in document["paths"]["/v1/key"]["post"]["requestBody"]["content"]
    assert 'backend="numpy"' in httpx.get(f"{service.metrics_url}/metrics").text
