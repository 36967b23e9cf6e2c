"""Images are built from the repository, pushed, and named by digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pulumi
import pytest

from infra.image_source import ImageSource
from infra.images import ServiceImages, ServiceImagesArgs
from infra.planning.wire import Secret
from infra.recording import Recording, record_component
from tests.infra.kubernetes.platform_objects import ROOT, settings_with

NAMES = ("faq", "resnet", "web")
SERVER = "registry.azurecr.io"
DIGEST = "ghcr.io/contoso/{}@sha256:" + "1" * 64


def declared(
    values: Mapping[str, Any] | None = None, server: pulumi.Input[str] | None = SERVER
) -> Recording:
    settings = settings_with(values)

    def declare() -> None:
        images = ServiceImages("images", ServiceImagesArgs(settings, server))
        for name, reference in images.references.items():
            pulumi.export(name, reference)

    return record_component(declare)


def image(recording: Recording, name: str) -> dict[str, Any]:
    return cast(dict[str, Any], recording.one(":Image", f"images-{name}").inputs)


def test_an_image_is_pushed_to_the_registry_and_used_by_digest() -> None:
    recording = declared()
    faq = image(recording, "faq")
    assert faq["imageName"] == f"{SERVER}/scoring-faq:test"
    assert faq["skipPush"] is False
    assert "registry" not in faq, "credentials"
    assert str(recording.outputs["faq"]).endswith("::images-faq.repoDigest>")


@pytest.mark.parametrize("name", NAMES)
def test_a_build_finds_its_files_from_the_programs_folder(name: str) -> None:
    values = {
        "web": {
            "enabled": True,
            "api_key": "key",
            "sign_in": {"client_id": "page", "everyone": True},
        }
    }
    build = image(declared(values), name)["build"]
    program = ROOT / "infra"
    assert (program / build["context"]).resolve() == ROOT
    assert (program / build["dockerfile"]).resolve() == ROOT / "services" / name / "Dockerfile"
    assert (program / build["dockerfile"]).is_file()
    assert build["platform"] == "linux/amd64"
    assert build["builderVersion"] == "BuilderBuildKit"


@pytest.mark.parametrize(
    ("resnet", "target"),
    [
        ({}, "onnxruntime"),
        ({"backend": "torch"}, "torch"),
        ({"backend": "keras"}, "keras"),
        ({"backend": "tensorflow"}, "tensorflow"),
        ({"device": "gpu", "scaling": {"max_replicas": 1}}, "torch"),
    ],
)
def test_the_backend_chooses_the_image(resnet: dict[str, Any], target: str) -> None:
    recording = declared({"resnet": resnet, "cluster": {"gpu_pool": {}}})
    assert image(recording, "resnet")["build"]["target"] == target


def test_the_network_is_chosen_when_the_image_is_built() -> None:
    resnet = {"architecture": "resnet50", "weights": "IMAGENET1K_V1"}
    recording = declared({"resnet": resnet, "base_image": "registry.contoso.com/python:3.11"})
    given = image(recording, "resnet")["build"]["args"]
    assert {key: value for key, value in given.items() if not key.startswith("BUILD_")} == {
        "BASE_IMAGE": "registry.contoso.com/python:3.11",
        "ARCHITECTURE": "resnet50",
        "WEIGHTS": "IMAGENET1K_V1",
    }


def test_an_image_of_a_traced_service_has_what_that_takes() -> None:
    traces = {"namespace": "observability", "service": "collector"}
    sign_in = {"client_id": "page", "everyone": True}
    web = {"enabled": True, "api_key": "key", "sign_in": sign_in}
    values = {"monitoring": {"traces": traces}, "web": web}
    recording = declared(values)
    asked = {name: image(recording, name)["build"]["args"].get("TRACING") for name in NAMES}
    assert asked == {"faq": "true", "resnet": "true", "web": None}
    plain = declared({"web": values["web"]})
    assert all("TRACING" not in image(plain, name)["build"]["args"] for name in NAMES)


def test_an_image_says_which_source_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ImageSource("1" * 40, "1.4.0", datetime(2026, 1, 2, tzinfo=UTC))
    monkeypatch.setattr("infra.images.image_source", lambda _: source)
    given = image(declared(), "faq")["build"]["args"]
    assert given == {"BUILD_REVISION": "1" * 40, "BUILD_VERSION": "1.4.0"}


def test_of_an_unknown_source_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.images.image_source", lambda _: None)
    assert image(declared(), "faq")["build"]["args"] == {}


def test_a_preview_builds_nothing() -> None:
    recording = declared()
    assert all(found.inputs["buildOnPreview"] is False for found in recording.of_type(":Image"))


def test_docker_hubs_token_is_a_secret() -> None:
    hub = {"namespace": "contoso", "username": "builder", "token": "dckr_pat_x"}
    values = {"registry": {"kind": "docker_hub", "docker_hub": hub}}
    faq = image(declared(values, "docker.io/contoso"), "faq")
    assert faq["imageName"] == "docker.io/contoso/scoring-faq:test"
    assert faq["registry"]["username"] == "builder"
    assert isinstance(faq["registry"]["password"], Secret)
    assert faq["registry"]["password"].value == "dckr_pat_x"


def test_prebuilt_images_need_no_docker() -> None:
    values = {
        "images": "prebuilt",
        "faq": {"image": DIGEST.format("faq")},
        "resnet": {"image": DIGEST.format("resnet")},
    }
    recording = declared(values)
    assert [found.type for found in recording.resources if found.custom] == []
    assert recording.outputs == {"faq": DIGEST.format("faq"), "resnet": DIGEST.format("resnet")}


def test_images_of_this_machine_stay_here() -> None:
    faq = image(declared(server=None), "faq")
    assert (faq["imageName"], faq["skipPush"]) == ("scoring-faq:test", True)
    assert "registry" not in faq


def test_every_image_has_an_explicit_provider() -> None:
    recording = declared()
    provider = recording.one("pulumi:providers:docker")
    assert provider.name == "images-docker"
    for found in recording.of_type(":Image"):
        assert found.options.provider.startswith(provider.urn)
