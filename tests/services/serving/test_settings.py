"""The settings of every service."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.serving.cpu import available_cpus
from services.serving.settings import ServiceSettings


def settings(**values: object) -> ServiceSettings:
    return ServiceSettings(model=Path("model"), **values)  # type: ignore[arg-type]


def test_the_metrics_have_a_port_of_their_own() -> None:
    with pytest.raises(ValidationError, match="must differ"):
        settings(port=8080, metrics_port=8080)
    assert settings(port=8080, metrics_port=0).metrics_port == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_no_keys_are_needed_on_loopback(host: str) -> None:
    assert settings(host=host).keys is None


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "203.0.113.1", "example.org", "", "localhost.evil.org"]
)
def test_keys_are_needed_off_loopback(host: str) -> None:
    with pytest.raises(ValidationError, match="an API key file"):
        settings(host=host)
    assert settings(host=host, keys="keys.json").keys == Path("keys.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 0),
        ("port", 65536),
        ("metrics_port", -1),
        ("drain_seconds", -1),
        ("stop_seconds", 0),
        ("body_seconds", 0),
        ("max_body_bytes", 0),
        ("max_body_bytes", 1 << 31),
        ("max_batch", 0),
        ("queue_limit", 0),
        ("queue_bytes", 0),
        ("deadline_ms", 0),
        ("requests_per_second", -1),
        ("threads", -1),
        ("unknown", 1),
    ],
)
def test_a_setting_out_of_its_bounds_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        settings(**{name: value})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        settings().port = 1


def test_an_empty_environment_variable_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEYS", "")
    monkeypatch.setenv("MAX_BATCH", "")

    assert settings().keys is None
    assert settings().max_batch == 16


def test_the_model_gets_all_available_cpus_unless_told_otherwise() -> None:
    assert settings().model_threads == available_cpus()
    assert settings(threads=3).model_threads == 3


def test_pictures_are_prepared_on_all_cpus_and_never_one_after_the_other() -> None:
    assert settings(threads=8).prepare_threads == 8
    assert settings(threads=1).prepare_threads == 2
