"""Which workloads there are, and with which images."""

from __future__ import annotations

import pytest

from tests.infra.kubernetes.platform_objects import spec_of
from tests.infra.kubernetes.workload_objects import WEB, declared_workloads

DIGEST = "registry.example.org/{}@sha256:" + "0" * 64


def deployments(values: dict[str, object]) -> set[str]:
    return {
        str(found.inputs["metadata"]["name"])  # type: ignore[index]
        for found in declared_workloads(values).of_type(":Deployment")
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, {"faq", "resnet"}),
        ({"web": WEB}, {"faq", "resnet", "web"}),
        ({"resnet": {"enabled": False}}, {"faq"}),
    ],
)
def test_enabled_workloads_are_deployed(values: dict[str, object], names: set[str]) -> None:
    assert deployments(values) == names


def test_the_gateway_learns_where_they_are() -> None:
    assert declared_workloads({"web": WEB}).outputs == {
        "faq": "faq:8080",
        "resnet": "resnet:8080",
        "web": "web:8080",
    }


def test_built_images_are_used_by_digest() -> None:
    pod = spec_of(declared_workloads(), "Deployment", "faq")["template"]["spec"]
    assert pod["containers"][0]["image"].endswith("::images-faq.repoDigest>")
    assert "imagePullSecrets" not in pod


def test_prebuilt_images_are_those_of_the_settings() -> None:
    values = {
        "images": "prebuilt",
        "faq": {"image": DIGEST.format("faq")},
        "resnet": {"image": DIGEST.format("resnet")},
    }
    pod = spec_of(declared_workloads(values), "Deployment", "resnet")["template"]["spec"]
    assert pod["containers"][0]["image"] == DIGEST.format("resnet")
