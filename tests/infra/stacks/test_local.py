"""The local stack: the workloads on this machine, walled in as in the cluster."""

from __future__ import annotations

import functools
from typing import Any, cast

import pytest

from infra.mistakes import SettingsRefused
from infra.planning.wire import Secret
from infra.recording import Recording, record_component
from infra.settings import read_settings
from infra.stacks.local import declare_local
from services.serving.api_keys import KeyFile
from tests.infra.kubernetes.workload_objects import WEB_KEY

NAMES = ("faq", "resnet", "web")
PAGE = {"enabled": True, "api_key": WEB_KEY}


@functools.cache
def declared() -> Recording:
    settings = read_settings({"layers": ["local"], "web": PAGE, "faq": {"memory_mib": 700}})
    return record_component(lambda: declare_local(settings))


def container(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], declared().one(":Container", f"{name}-container").inputs)


def test_nothing_needs_a_cloud() -> None:
    packages = {found.type.split(":")[0] for found in declared().resources if found.custom}
    assert packages <= {"docker", "pulumi"}


@pytest.mark.parametrize(("name", "port"), [("faq", 8081), ("resnet", 8082), ("web", 8080)])
def test_this_machine_alone_reaches_a_container(name: str, port: int) -> None:
    assert container(name)["ports"] == [{"internal": 8080, "external": port, "ip": "127.0.0.1"}]
    assert declared().outputs[f"{name}_url"] == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("name", NAMES)
def test_a_container_may_do_little(name: str) -> None:
    found = container(name)
    assert found["readOnly"] is True
    assert found["user"] == "10001:10001"
    assert found["capabilities"] == {"drops": ["ALL"]}
    assert found["securityOpts"] == ["no-new-privileges:true"]
    assert set(found["tmpfs"]) == {"/tmp"}
    assert found.get("privileged") is None


def test_a_container_gets_what_a_pod_gets() -> None:
    found = container("faq")
    assert (found["memory"], found["memorySwap"], found["cpus"]) == (700, 700, "1")


@pytest.mark.parametrize("name", NAMES)
def test_a_container_is_there_when_it_is_ready(name: str) -> None:
    assert container(name)["wait"] is True
    assert "/readyz" in container(name)["healthcheck"]["tests"][-1]


def test_the_page_finds_the_services_by_their_containers_names() -> None:
    variables = dict(each.split("=", 1) for each in container("web")["envs"])
    for service in ("faq", "resnet"):
        host = container(service)["name"]
        assert variables[f"WEB_{service.upper()}_URL"] == f"http://{host}:8080"
    networks = {container(name)["networkMode"] for name in NAMES}
    assert networks == {declared().one(":Network").inputs["name"]}


def test_key_files_go_to_a_volume_through_a_container_that_never_runs() -> None:
    files = cast(dict[str, Any], declared().one(":Container", "keys-files").inputs)
    assert (files["start"], files["mustRun"]) == (False, False)
    contents = {each["file"]: each["content"] for each in files["uploads"]}
    assert all(isinstance(content, Secret) for content in contents.values())
    KeyFile.model_validate_json(str(contents["/keys/keys.json"].value))
    assert contents["/keys/api-key"].value == WEB_KEY
    volume = declared().one(":Volume").inputs["name"]
    assert files["volumes"] == [{"volumeName": volume, "containerPath": "/keys"}]
    for name in NAMES:
        assert container(name)["volumes"] == [
            {"volumeName": volume, "containerPath": "/keys", "readOnly": True}
        ]


@pytest.mark.parametrize("name", NAMES)
def test_a_container_comes_after_its_key_file(name: str) -> None:
    files = declared().one(":Container", "keys-files").urn
    found = declared().one(":Container", f"{name}-container")
    assert files in found.options.depends_on
    by_property = found.options.property_dependencies["volumes"]
    assert files not in by_property, "a changed key would make the container anew"


def test_a_page_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsRefused, match=r"web\.api_key"):
        read_settings({"layers": ["local"], "web": {"enabled": True}})


def test_prebuilt_images_without_names_are_refused() -> None:
    with pytest.raises(SettingsRefused, match=r"faq\.image"):
        read_settings({"layers": ["local"], "images": "prebuilt"})
