"""What changes while clients are there: certificates, and the pods behind the gateway."""

from __future__ import annotations

import json
import os
import signal
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.launch import LaunchedService, free_ports, launch
from tests.cleanup import ended_by
from tests.conftest import write_keys
from tests.gateway.backends import port_of
from tests.gateway.clients import Client, fresh_address
from tests.gateway.conftest import HOST, Serve
from tests.gateway.echo import EchoProcess, start_echo
from tests.gateway.served import ServedGateway, make_certificate
from tests.waiting import wait_for

SETTINGS = {
    "gateway": {
        "requests_per_minute": 1_000_000,
        "tls": {"issuer": "existing-secret", "existing_secret": "own", "minimum_version": "1.3"},
    },
    "resnet": {"enabled": False},
    "web": {
        "enabled": True,
        "api_key": "a-key-of-the-web-application",
        "sign_in": {"client_id": "page", "everyone": True},
    },
}
DRAIN_SECONDS = 6
PAUSE_SECONDS = 0.01
AT_ONCE = 6
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
def echoes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EchoProcess]]:
    """Two processes in the place of the client application's pods."""
    folder = tmp_path_factory.mktemp("echoes")
    echoes = [start_echo(port, folder) for port in free_ports(2)]
    try:
        with ended_by(f"kill {' '.join(str(each.process.pid) for each in echoes)}; true"):
            yield echoes
    finally:
        for each in echoes:
            each.process.kill()
            each.process.wait()


@pytest.fixture(scope="module")
def gateway(serve: Serve, echoes: list[EchoProcess], pods: Pods) -> Iterator[ServedGateway]:
    """With two pods of each workload, and TLS 1.3 by a secret of the user's own."""
    backends = {"faq": pods.ports(), "web": [each.port for each in echoes]}
    with serve(SETTINGS, backends) as gateway:
        yield gateway


class Pods:
    """Processes of the question service, as its pods run them."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.keys, self.key = write_keys(folder, "faq")
        self.model, self.folder = model, folder
        self.running: list[LaunchedService] = []
        self._ends = ExitStack()

    def start(self, port: int = 0) -> LaunchedService:
        options = ("--model", self.model, "--keys", self.keys)
        drain = ("--drain-seconds", str(DRAIN_SECONDS))
        pod = launch("services.faq", *options, *drain, log_folder=self.folder, port=port)
        self._ends.enter_context(ended_by(f"kill -9 -- -{pod.process.pid} || true"))
        self.running.append(pod)
        return pod

    def ports(self) -> list[int]:
        return [port_of(pod) for pod in self.running]

    def kill(self, pod: LaunchedService) -> None:
        """At once, with its worker, as the kernel does where memory ends."""
        with suppress(ProcessLookupError):  # it never started
            os.killpg(pod.process.pid, signal.SIGKILL)
        pod.process.wait()
        self.running.remove(pod)

    def end(self) -> None:
        for pod in list(self.running):
            self.kill(pod)
        self._ends.close()


READ = ("GET", "/faq/openapi.json")
ASK = ("POST", "/faq/v1/match")
ASKERS = 3


@contextmanager
def requests(client: Client, key: str, what: tuple[str, str]) -> Iterator[Counter[str]]:
    """Ask all the time, on connections that are kept; what was answered, with how often."""
    answers: Counter[str] = Counter()
    stop = threading.Event()
    method, path = what

    def ask() -> None:
        with client.session() as session:
            while not stop.is_set():
                answers[ask_once(session, method, path, key)] += 1
                time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=ask) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: answers["200"] > 20, 30, lambda: str(answers))
        yield answers
        enough = answers["200"] + 50
        wait_for(lambda: answers["200"] > enough, 30, lambda: str(answers))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def ask_once(session: httpx.Client, method: str, path: str, key: str = "") -> str:
    """The status of the answer, or what went wrong."""
    try:
        answer = session.request(
            method,
            path,
            json=QUESTION if method == "POST" else None,
            headers={"Host": HOST, "X-API-Key": key},
            extensions={"sni_hostname": HOST},
        )
    except httpx.HTTPError as error:
        return repr(error)
    return str(answer.status_code)


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
    """As cert-manager does it, sixty days into the old one's ninety: neither on connections that
    are kept, nor on those that begin meanwhile.
    """
    old, new = gateway.certificate, make_certificate(tmp_path, HOST, "second")
    newcomer = TrustsBoth(gateway, fresh_address(), (old.certificate, new.certificate))
    try:
        with requests(client, pods.key, ASK) as kept, beginning(newcomer) as begun:
            gateway.certificate = new
            gateway.write()
            wait_for(lambda: is_shown(client, new.certificate), 60, "the old one is shown still")
        assert set(kept) == {"200"}
        assert set(begun) == {"200"}
    finally:
        gateway.certificate = old
        gateway.write()
        wait_for(lambda: is_shown(client, old.certificate), 60, "the new one is shown still")


@dataclass(frozen=True)
class TrustsBoth(Client):
    """A client that trusts the certificate of before and the one of after."""

    trusted: tuple[Path, Path]

    def trust(self) -> ssl.SSLContext:
        context = super().trust()
        for each in self.trusted:
            context.load_verify_locations(cafile=str(each))
        return context


@contextmanager
def beginning(client: Client) -> Iterator[Counter[str]]:
    """Connect anew for every request, all the time; what was answered, with how often."""
    answers: Counter[str] = Counter()
    stop = threading.Event()

    def connect() -> None:
        while not stop.is_set():
            with client.session() as session:
                answers[ask_once(session, *READ)] += 1

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


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
    and is no endpoint any more as soon as it is not ready.

    On a machine with much to do the gateway learnt of that after the pod had gone, and answered
    503; since then it asks another pod for what one never had.
    """
    with requests(client, pods.key, ASK) as answers:
        pods.start().wait_until_ready()
        gateway.backends["faq"] = pods.ports()
        gateway.write()
        old = pods.running.pop(0)
        old.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not is_ready(old), 10, "a pod that ends is ready still")
        gateway.backends["faq"] = pods.ports()
        gateway.write()
        assert old.process.wait(DRAIN_SECONDS + 30) == 0
    assert set(answers) == {"200"}


def test_a_pod_that_crashes_and_comes_back_loses_nothing_that_reads(
    client: Client, pods: Pods
) -> None:
    """The gateway knows nothing of it: the pod stays an endpoint all the time that it is away.
    Of the questions only those are lost that the pod had begun, one of each client at most.
    """
    reader = Client(client.gateway, fresh_address())
    with requests(reader, pods.key, READ) as read, requests(client, pods.key, ASK) as asked:
        crashed = pods.running[0]
        pods.kill(crashed)
        pods.start(port_of(crashed)).wait_until_ready()
    assert set(read) == {"200"}
    assert asked.total() - asked["200"] <= ASKERS, asked


def test_only_what_reads_is_asked_again_of_another_pod(
    client: Client, echoes: list[EchoProcess]
) -> None:
    """Requests that two pods have begun, one of which is killed: a second pod must not die of the
    picture that killed the first.
    """
    path = "/begun?held=1"
    methods = ["GET"] * AT_ONCE + ["POST"] * AT_ONCE

    def ask(method: str) -> tuple[str, str]:
        with client.session() as session:
            return method, ask_once(session, method, path)

    def begun(method: str) -> list[int]:
        return [each.requests().count(f"{method} {path}") for each in echoes]

    with ThreadPoolExecutor(len(methods)) as threads:
        answers = [threads.submit(ask, method) for method in methods]
        wait_for(lambda: sum(begun("GET")) + sum(begun("POST")) == len(methods), 20)
        crashed, lost = echoes[0], {method: begun(method)[0] for method in ("GET", "POST")}
        crashed.process.kill()
        wait_for(lambda: sum(begun("GET")) == AT_ONCE + lost["GET"], 20, "what reads is lost")
        echoes[1].let_go()
        outcome = Counter(answer.result() for answer in answers)
    assert min(lost.values()) > 0, "nothing was to be lost"
    assert outcome["GET", "200"] == AT_ONCE
    assert outcome["POST", "200"] == AT_ONCE - lost["POST"]
    assert outcome["POST", "503"] == lost["POST"]
    assert sum(begun("POST")) == AT_ONCE
    echoes[0] = start_echo(crashed.port, crashed.log.parent)


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
    assert (problem["status"], problem["error"]) == (503, "No pod of the service is ready.")
    assert client.get("/").status_code == 200
    pods.start().wait_until_ready()
    gateway.backends["faq"] = pods.ports()
    gateway.write()
    wait_for(lambda: client.get("/faq/livez").status_code == 200, 30, "the new pod gets nothing")


def eventually(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer with 503; the proxy may find out by a connection that is cut."""
    return wait_for(lambda: (answer := ask()).status_code == 503 and answer, 10)
