"""Azure's registry by rights, Docker Hub by its own sign-in and limits."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.doctor.checks.registry import HUB_TOKEN, look_at_registry
from infra.doctor.findings import Finding, Verdict
from infra.doctor.needs import needs_of
from tests.infra.doctor.conftest import verdicts
from tests.infra.doctor.resource_manager import ResourceManager, World
from tests.infra.plans import recording_of, settings_of
from tests.local_server import address_of, served

RIGHT = "dckr_pat_right"


@pytest.fixture
def hub() -> Iterator[tuple[dict[str, str], tuple[str, str]]]:
    """Docker Hub's two interfaces; the limits' headers can be changed."""
    limits = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            expected = base64.b64encode(f"examplebot:{RIGHT}".encode()).decode()
            status = 200 if given in ("", f"Basic {expected}") else 401
            body = {"token": "pull-token"} if status == 200 else {"details": "incorrect username"}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_HEAD(self) -> None:
            allowed = self.headers.get("Authorization") == "Bearer pull-token"
            self.send_response(200 if allowed else 401)
            for name, value in limits.items() if allowed else ():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        url = address_of(server)
        yield limits, (f"{url}/token", f"{url}/v2/ratelimitpreview/test/manifests/latest")


def look(
    stack: str,
    manager: ResourceManager,
    environment: dict[str, str] | None = None,
    hub: tuple[str, str] = ("", ""),
) -> list[Finding]:
    settings = settings_of(stack)
    needs = needs_of(settings, recording_of(stack))
    return list(look_at_registry(settings, needs, manager.azure(), environment or {}, hub))


def test_whoever_builds_must_be_allowed_to_push(manager: ResourceManager, world: World) -> None:
    assert verdicts(look("dev", manager)) == {"push": Verdict.OK}
    world.not_actions = ["Microsoft.ContainerRegistry/registries/push/*"]
    (found,) = look("dev", manager)
    assert found.verdict is Verdict.FAILED
    assert found.remedy is not None
    assert "--role AcrPush" in found.remedy


def test_a_registry_that_exists_must_exist(manager: ResourceManager, world: World) -> None:
    (found,) = look("prebuilt-images", manager)
    assert (found.verdict, found.message) == (Verdict.FAILED, "is not in resource group rg-shared")
    world.own = {"exampleregistry"}
    (found,) = look("prebuilt-images", manager)
    assert found.message == "not needed: the images were built before"


def test_a_private_registry_is_told(manager: ResourceManager) -> None:
    assert verdicts(look("prod", manager)) == {"push": Verdict.OK, "reach": Verdict.WARNING}


def test_docker_hub_takes_the_right_token_and_refuses_another(
    manager: ResourceManager, hub: tuple[dict[str, str], tuple[str, str]]
) -> None:
    found = look("docker-hub", manager, {HUB_TOKEN: RIGHT}, hub[1])
    assert [f.message for f in found] == ["is accepted", "76 of 100 left for examplebot"]
    wrong = look("docker-hub", manager, {HUB_TOKEN: "dckr_pat_wrong"}, hub[1])
    assert wrong[0].verdict is Verdict.FAILED
    assert not any("dckr_pat" in str(f) for f in (*found, *wrong))


def test_without_the_token_only_the_limits_can_be_looked_at(
    manager: ResourceManager, hub: tuple[dict[str, str], tuple[str, str]]
) -> None:
    sign_in, limits = look("docker-hub", manager, {}, hub[1])
    assert sign_in.verdict is Verdict.UNKNOWN
    assert limits.message == "76 of 100 left for this address, without sign-in"
    hub[0]["ratelimit-remaining"] = "0;w=21600"
    assert look("docker-hub", manager, {}, hub[1])[1].verdict is Verdict.WARNING


def test_docker_hub_out_of_reach_is_told(manager: ResourceManager) -> None:
    closed = ("http://127.0.0.1:1/token", "http://127.0.0.1:1/limits")
    found = look("docker-hub", manager, {HUB_TOKEN: RIGHT}, closed)
    assert [f.message for f in found] == ["cannot be reached from here"]
