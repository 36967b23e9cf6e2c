"""What changes while clients are there: certificates, and the pods behind the gateway."""

from __future__ import annotations

import json
import signal
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from services.launch import LaunchedService, launch
from tests.cluster.api import wait_for
from tests.conftest import write_keys
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import HOST, Serve
from tests.gateway.echo import Echo
from tests.gateway.served import ServedGateway, make_certificate

SETTINGS = {
    "gateway": {
        "requests_per_minute": 1_000_000,
        "tls": {"issuer": "existing-secret", "existing_secret": "own", "minimum_version": "1.3"},
    },
    "resnet": {"enabled": False},
    "web": {"enabled": True, "api_key": "a-key-of-the-web-application"},
}
DRAIN_SECONDS = 6
PAUSE_SECONDS = 0.01
QUESTION = {"question": "How do I sort an array of objects?"}


@pytest.fixture(scope="module")
def pods(faq_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    pods = Pods(faq_model, tmp_path_factory.mktemp("pods"))
    try:
        pods.start()
        pods.start()
        for pod in pods.running:
            pod.wait_until_ready()
        yield pods
    finally:
        pods.end()


@pytest.fixture(scope="module")
def gateway(serve: Serve, echo: Echo, pods: Pods) -> Iterator[ServedGateway]:
    """With two pods of the question service, and TLS 1.3 by a secret of the user's own."""
    backends = {"faq": pods.ports(), "web": [echo.port]}
    with serve(SETTINGS, backends) as gateway:
        yield gateway


class Pods:
    """Processes of the question service, as its pods run them."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.keys, self.key = write_keys(folder, "faq")
        self.model, self.folder = model, folder
        self.running: list[LaunchedService] = []

    def start(self) -> LaunchedService:
        options = (
            "--model",
            self.model,
            "--keys",
            self.keys,
            "--drain-seconds",
            str(DRAIN_SECONDS),
        )
        pod = launch("services.faq", *options, log_folder=self.folder)
        self.running.append(pod)
        return pod

    def ports(self) -> list[int]:
        return [int(pod.url.rsplit(":", 1)[1]) for pod in self.running]

    def end(self) -> None:
        for pod in self.running:
            pod.process.kill()
            pod.process.wait()


@contextmanager
def questions(client: Client, key: str) -> Iterator[Counter[str]]:
    """Ask all the time, on connections that are kept; what was answered, with how often."""
    answers: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        with client.session() as session:
            while not stop.is_set():
                try:
                    answer = session.post(
                        "/faq/v1/match",
                        json=QUESTION,
                        headers={"Host": HOST, "X-API-Key": key},
                        extensions={"sni_hostname": HOST},
                    )
                    answers[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    answers[repr(error)] += 1
                time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_only_tls_1_3_is_spoken_where_the_settings_say_so(client: Client) -> None:
    context = client.trust()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
        client.connect(context)
    with client.connect() as connection:
        assert connection.version() == "TLSv1.3"


def test_a_certificate_is_replaced_without_losing_a_request(
    gateway: ServedGateway, client: Client, pods: Pods, tmp_path: Path
) -> None:
    """As cert-manager does it, sixty days into the old one's ninety."""
    old, new = gateway.certificate, make_certificate(tmp_path, HOST, "second")
    with questions(client, pods.key) as answers:
        wait_for(lambda: answers["200"] > 20, 20, lambda: str(answers))
        gateway.certificate = new
        try:
            gateway.write()
            wait_for(lambda: is_shown(client, new.certificate), 30, "the old one is shown still")
        finally:
            # Clients that ask on trust the old one, on connections that are kept.
            enough = answers["200"] + 50
        wait_for(lambda: answers["200"] > enough, 20, lambda: str(answers))
    assert set(answers) == {"200"}
    gateway.certificate = old
    gateway.write()
    wait_for(lambda: is_shown(client, old.certificate), 30, "the new one is shown still")


def is_shown(client: Client, certificate: Path) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with client.connect(context) as connection:
        shown = connection.getpeercert(binary_form=True)
    return shown == ssl.PEM_cert_to_DER_cert(certificate.read_text())


def test_a_pod_that_is_replaced_loses_no_request(
    gateway: ServedGateway, client: Client, pods: Pods
) -> None:
    """As a rollout does it: a new pod, then SIGTERM for an old one, which goes on while it drains
    and is no endpoint any more as soon as it is not ready."""
    with questions(client, pods.key) as answers:
        wait_for(lambda: answers["200"] > 20, 20, lambda: str(answers))
        pods.start().wait_until_ready()
        gateway.backends["faq"] = pods.ports()
        gateway.write()
        old = pods.running.pop(0)
        old.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_ready(old), 10, "a pod that ends is ready still")
        gateway.backends["faq"] = pods.ports()
        gateway.write()
        assert old.process.wait(DRAIN_SECONDS + 30) == 0
        enough = answers["200"] + 50
        wait_for(lambda: answers["200"] > enough, 20, lambda: str(answers))
    assert set(answers) == {"200"}


def is_ready(pod: LaunchedService) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{pod.url}/readyz", timeout=2).status_code == 200
    return False


def test_without_any_pod_the_gateway_says_503_and_when_to_come_back(
    gateway: ServedGateway, pods: Pods
) -> None:
    """Runs last: the pods are killed, as a node that fails takes them away."""
    client = Client(gateway, fresh_address())
    pods.end()
    answer = eventually(lambda: client.get("/faq/livez"))
    assert answer.headers["Retry-After"] == "5"
    problem = json.loads(answer.text)
    assert (problem["status"], problem["error"]) == (503, "no pod of the service is ready")
    assert client.get("/").status_code == 200
    pods.running.clear()
    pods.start().wait_until_ready()
    gateway.backends["faq"] = pods.ports()
    gateway.write()
    wait_for(lambda: client.get("/faq/livez").status_code == 200, 30, "the new pod gets nothing")


def eventually(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer with 503; the proxy may find out by a connection that is cut."""
    return wait_for(lambda: (answer := ask()).status_code == 503 and answer, 10)
