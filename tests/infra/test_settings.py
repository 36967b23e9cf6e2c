"""The settings' own promises: frozen, described, nothing coerced, and the derived properties."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from infra.mistakes import SettingsRefused
from infra.sections.words import is_optional, section_of, words_of
from infra.settings import Settings, read_settings
from tests.infra.stack_files import SOUND, changed


def sections(
    section: type[BaseModel] = Settings, path: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section, by its path."""
    yield path, section
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None:
            yield from sections(inner, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize(("path", "section"), list(sections()), ids=lambda value: str(value))
def test_every_section_is_frozen_closed_and_described(path: str, section: type[BaseModel]) -> None:
    assert section.model_config.get("frozen") is True
    assert section.model_config.get("extra") == "forbid"
    assert section.__doc__
    for name, field in section.model_fields.items():
        assert field.description, f"{path}.{name} says nothing"
        assert field.description[0].islower() or not field.description[1].islower() or (
            field.description.split()[0].rstrip(",") in PROPER_NAMES
        ), f"{path}.{name}: descriptions start in lower case"  # fmt: skip
        assert words_of(field), f"{path}.{name} does not say what it allows"


PROPER_NAMES = {
    "Azure", "Basic", "Defender", "Docker", "Entra", "Free", "Log", "OpenID", "Premium",
}  # fmt: skip


def test_a_number_has_a_range() -> None:
    """A figure without a border is a border that nobody thought about."""
    endless = [
        f"{path}.{name}"
        for path, section in sections()
        for name, field in section.model_fields.items()
        if words_of(field) in ("a number", "a whole number")
    ]

    assert endless == []


def test_what_may_be_left_out_defaults_to_nothing() -> None:
    for path, section in sections():
        for name, field in section.model_fields.items():
            if is_optional(field.annotation) and field.default is not None:
                # The only one: a cap protects whoever forgets it; null is a decision.
                assert f"{path}.{name}" == "monitoring.logs.daily_cap_gb"


def test_settings_cannot_be_changed() -> None:
    settings = read_settings(SOUND)

    with pytest.raises(ValidationError):
        settings.cluster.tier = "Premium"  # pyright: ignore[reportAttributeAccessIssue]


def test_secrets_do_not_show() -> None:
    hub = {"namespace": "team", "username": "user", "token": "hunter2"}

    settings = read_settings(
        changed(SOUND, {"registry": {"kind": "docker_hub", "docker_hub": hub}})
    )

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_a_hash_does_not_show() -> None:
    key = {"name": "a", "sha256": "a" * 64, "scopes": ["faq"]}

    assert "a" * 64 not in repr(read_settings(changed(SOUND, {"api_keys": [key]})))


def test_plain_secrets_can_be_refused() -> None:
    hub = {"namespace": "team", "username": "user", "token": "hunter2"}
    values = changed(SOUND, {"registry": {"kind": "docker_hub", "docker_hub": hub}})

    with pytest.raises(SettingsRefused):
        read_settings(values, encrypted_only=True)

    hub["token"] = SecretStr("hunter2")  # pyright: ignore[reportArgumentType]
    read_settings(
        changed(SOUND, {"registry": {"kind": "docker_hub", "docker_hub": hub}}), encrypted_only=True
    )


@pytest.mark.parametrize(
    ("layers", "platform", "services", "local"),
    [
        (["platform", "services"], True, True, False),
        (["platform"], True, False, False),
        (["services"], False, True, False),
        (["local"], False, False, True),
    ],
)
def test_layers(layers: list[str], platform: bool, services: bool, local: bool) -> None:
    more = {"platform_stack": "o/p/s"} if layers == ["services"] else {}

    settings = read_settings({**SOUND, "layers": layers, **more})

    assert (settings.has_platform, settings.has_services, settings.is_local) == (
        platform, services, local,
    )  # fmt: skip


def test_ids_are_in_lower_case() -> None:
    """Azure answers so: another spelling would show as a difference for ever."""
    values = changed(SOUND, {"tenant_id": "ABCDEF00-2222-2222-2222-222222222222"})

    assert read_settings(values).tenant_id == "abcdef00-2222-2222-2222-222222222222"
