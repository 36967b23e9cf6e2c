"""Everything at once: clients, the stack's gateway with TLS, and the images as containers behind it.

All of it runs in the network of the containers, where the gateway finds each by its own address, as
it finds pods: nothing of it is reachable from this machine's own network.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from infra.kubernetes.places import API_PORT
from infra.workload import WorkloadName
from services.launch import ROOT
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Site, open_page
from tests.gateway.conftest import HOST, serve, why_not_here
from tests.gateway.served import ENVOY_GROUP, NAMESPACE, Object, ServedGateway
from tests.images.conftest import LONGEST_SECONDS
from tests.images.containers import Container, Containers, Stack
from tests.network import Network

__all__ = ["open_page", "serve"]

FOLDER = Path(__file__).parent
OWN_HOSTS = 'mount --bind "$1" /etc/hosts; shift; exec "$@"'
"""In a mount namespace of its own, where the gateway's name leads to loopback."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if FOLDER in item.path.parents]
    absent = why_not_here()
    if ours and absent and os.environ.get("SCORING_REQUIRE_ENGINES"):
        raise pytest.UsageError(f"SCORING_REQUIRE_ENGINES is set, but {absent}")
    if os.geteuid() != 0:
        absent = "only root enters the network of a container"
    for item in ours:
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))
        if absent:
            item.add_marker(pytest.mark.skip(reason=absent))


@dataclass(frozen=True)
class Front:
    """What a client outside knows: the name, the certificate, its key.

    Attributes:
        url: of the gateway.
    """

    url: str
    gateway: ServedGateway
    containers: Mapping[WorkloadName, Container]
    key: str
    hosts: Path

    def run(
        self, *arguments: str | Path, trust: bool = True, key: str = "", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python program of this repository as a client."""
        wrapped = ["unshare", "--mount", "sh", "-ec", OWN_HOSTS, "sh", self.hosts, sys.executable]
        certificate = {"SSL_CERT_FILE": str(self.gateway.certificate.certificate)}
        return subprocess.run(
            [*wrapped, *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
            env={
                "PATH": os.environ["PATH"],
                "SCORING_API_KEY": key or self.key,
                "SCORING_FAQ_URL": f"{self.url}/faq",
                "SCORING_RESNET_URL": f"{self.url}/resnet",
                **(certificate if trust else {}),
            },
        )  # fmt: skip


@pytest.fixture(scope="session")
def container_namespace(containers: Containers) -> Iterator[Network]:
    """The network that the containers share, through a container that only waits."""
    with containers.waiting() as pid:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            yield Network(namespace)
        finally:
            os.close(namespace)


@pytest.fixture(scope="module", autouse=True)
def _in_the_network(container_namespace: Network) -> Iterator[None]:
    with container_namespace.entered():
        yield


@pytest.fixture(scope="session")
def front(
    serve: Any,
    containers: Containers,
    container_namespace: Network,
    stack_in_containers: Mapping[WorkloadName, Container],
    local_stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """The stack's gateway in front of the containers."""
    hosts = tmp_path_factory.mktemp("names") / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HOST}\n")
    settings = {
        # The load tool is one client.
        "gateway": {"requests_per_minute": 1_000_000},
        "web": {
            "enabled": True,
            "api_key": "its containers have another",
            "sign_in": {"client_id": "page", "everyone": True},
        },
    }
    backends = [
        backend(workload, containers.address(container))
        for workload, container in stack_in_containers.items()
    ]
    with ExitStack() as running:
        with container_namespace.entered():
            gateway = running.enter_context(serve(settings, {}, further=backends))
        url = f"https://{HOST}:{gateway.https_port}"
        yield Front(url, gateway, stack_in_containers, local_stack.key, hosts)


def backend(workload: WorkloadName, address: str) -> Object:
    """In a Service's place, the address of its only pod."""
    return {
        "apiVersion": f"{ENVOY_GROUP}/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": workload, "namespace": NAMESPACE},
        "spec": {"endpoints": [{"ip": {"address": address, "port": API_PORT}}]},
    }


@pytest.fixture(scope="module")
def browser(container_namespace: Network, front: Front) -> Iterator[Browser]:
    """Chromium in the containers' network, which knows the gateway by its name and its key."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (Debian's package: chromium)")
    knowing = [
        f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={front.gateway.certificate.key_hash()}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *knowing])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_site(front: Front, local_stack: Stack) -> Site:
    """The client application as a browser finds it."""
    web = local_stack.settings.web.api_key
    assert web is not None
    return Site(front.url, "", (local_stack.key, web.get_secret_value()))
