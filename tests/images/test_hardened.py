"""The images behind the walls that the stack builds around them: they work, and nothing leaks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from infra.kubernetes.key_file import KEY_FOLDER
from infra.kubernetes.places import API_PORT, METRICS_PORT
from infra.kubernetes.pod import USER_ID
from infra.planning.stacks import ROOT
from infra.stack_file import read_stack_file
from infra.workload import WORKLOADS, WorkloadName, services_of
from tests.images.asking import EXAMPLES, REQUESTS, classify, is_right
from tests.images.containers import Container, Containers, Stack, stack
from tests.images.fixtures import SOURCE, Images

LISTENING = "0A"
DOCKERS_NAME_SERVER = "0B00007F"
"""127.0.0.11 in /proc/net/tcp: Docker's own, in every network that resolves names."""
REPORT_SECONDS = 20
"""ONNX Runtime's first report took 16."""

Site = Mapping[WorkloadName, Container]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_answers_rightly(stack_in_containers: Site, workload: WorkloadName) -> None:
    for _ in range(3):
        assert is_right(workload, REQUESTS[workload](stack_in_containers[workload]))


def test_it_tells_pictures_apart(stack_in_containers: Site) -> None:
    answer = classify(stack_in_containers["resnet"], (EXAMPLES / "china.jpg").read_bytes())
    assert answer.json()["predictions"][0]["label"] == "palace"


def test_a_mounted_model_answers_as_the_one_inside(containers: Containers, images: Images) -> None:
    """Read-only, at the place where the whole image has its own."""
    bare, model = images.bare["resnet"], images.resnet_model
    with containers.running("resnet", stack(), image=bare, model=model) as resnet:
        assert is_right("resnet", classify(resnet))


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_it_says_of_which_source_it_is(stack_in_containers: Site, workload: WorkloadName) -> None:
    build = f'{{revision="{SOURCE.revision}",version="{SOURCE.version}"}} 1.0'
    assert f"modelsvc_build_info{build}" in stack_in_containers[workload].metrics()


@pytest.mark.parametrize("workload", ["faq", "resnet"])
def test_it_asks_for_a_key(stack_in_containers: Site, workload: WorkloadName) -> None:
    path = {"faq": "/v1/match", "resnet": "/v1/classify"}[workload]
    refused = stack_in_containers[workload].post(
        path, json={"question": "x"}, headers={"X-API-Key": "none"}
    )
    assert refused.status_code == 401


@pytest.mark.parametrize("workload", WORKLOADS)
def test_its_processes_have_no_powers(stack_in_containers: Site, workload: WorkloadName) -> None:
    processes = stack_in_containers[workload].processes()
    assert len(processes) == 1
    for process in processes:
        status = process.status()
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(USER_ID)}
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("workload", WORKLOADS)
def test_its_root_is_read_only(stack_in_containers: Site, workload: WorkloadName) -> None:
    program = """
import os
for place in ("/app/x", "/venv/x", "/models/x", "/var/tmp/x", "/dev/x", "/tmp/x", "KEYS/x"):
    try:
        open(place, "w").close()
        os.remove(place)
        print(place)
    except OSError:
        pass
""".replace("KEYS", KEY_FOLDER)
    # Docker's /dev is a tmpfs of its own, where only root may write.
    assert stack_in_containers[workload].python(program).split() == ["/tmp/x"]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_nothing_listens_but_the_two_ports(
    stack_in_containers: Site, workload: WorkloadName
) -> None:
    pid = stack_in_containers[workload].processes()[0].pid
    found = {
        socket.port
        for table in ("tcp", "tcp6", "udp", "udp6")
        for socket in sockets(pid, table)
        if socket.address != DOCKERS_NAME_SERVER
        and (socket.state == LISTENING if table.startswith("tcp") else not socket.is_connected)
    }
    assert found == {API_PORT, METRICS_PORT}


@dataclass(frozen=True)
class Socket:
    """A line of proc_net_tcp(5)."""

    address: str
    port: int
    state: str
    is_connected: bool


def sockets(pid: int, table: str) -> Iterator[Socket]:
    """The sockets of a process's network."""
    with open(f"/proc/{pid}/net/{table}") as lines:
        for line in list(lines)[1:]:
            local, remote, state = line.split()[1:4]
            address, _, port = local.partition(":")
            connected = set(remote) > {"0", ":"}
            yield Socket(address, int(port, 16), state, connected)


def test_they_ask_nobody_for_anything(containers: Containers) -> None:
    """No name is looked up and no connection opened, in the seconds in which libraries report.

    ONNX Runtime did: see tests/services/resnet/backends/test_no_telemetry.py.
    """
    services = services_of(stack().settings)
    with ExitStack() as running:
        site = {each: running.enter_context(containers.running(each, stack())) for each in services}
        for workload, container in site.items():
            assert is_right(workload, REQUESTS[workload](container))
        pids = [container.processes()[0].pid for container in site.values()]
        until = time.monotonic() + REPORT_SECONDS
        while time.monotonic() < until:
            for pid in pids:
                assert [socket for socket in sockets(pid, "udp") if socket.is_connected] == []
            time.sleep(0.5)
        kept = "import os; print(os.listdir('/tmp'))"
        assert [container.python(kept) for container in site.values()] == ["[]"] * len(site)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_it_writes_nowhere_even_if_it_could(
    containers: Containers, stack_in_containers: Site, local_stack: Stack, workload: WorkloadName
) -> None:
    """The same with a root that takes writes: requests, refusals, metrics, the end; no file comes."""
    services: tuple[WorkloadName, ...] = ("faq", "resnet")
    hosts: dict[WorkloadName, str] = {
        name: containers.address(stack_in_containers[name]) for name in services
    }
    with containers.running(workload, local_stack, read_only=False, hosts=hosts) as container:
        assert is_right(workload, REQUESTS[workload](container))
        assert container.post("/v1/match", content=b"{").status_code >= 400
        assert "process_cpu" in container.metrics()
        container.stop(20)
        changes = container.docker.run("diff", container.id).split("\n")
        places = {line.partition(" ")[2] for line in changes if line}
    # Docker makes the places at which it mounts.
    assert places <= {KEY_FOLDER, "/models", f"/models/{workload}", "/etc", "/run"}


def test_any_user_id_will_do(containers: Containers) -> None:
    """As where the platform chooses one itself."""
    with containers.running("faq", stack(), user=23_456) as faq:
        assert is_right("faq", REQUESTS["faq"](faq))
        assert {each.status()["Uid"].split()[0] for each in faq.processes()} == {"23456"}


def test_the_smallest_stacks_limits_are_enough(containers: Containers) -> None:
    """`dev` gives the question service a quarter of a CPU; its startup probe has to bear that."""
    declared = read_stack_file(ROOT / "Pulumi.dev.yaml").faq
    assert declared.cpu_millicores <= 250
    limits = {"cpu_millicores": declared.cpu_millicores, "memory_mib": declared.memory_mib}
    with containers.running("faq", stack(faq=limits)) as faq:
        assert is_right("faq", REQUESTS["faq"](faq))


def test_threads_follow_the_cpu_limit(containers: Containers) -> None:
    """Half a CPU is still one. A second one is a second thread of the model, one that has it score, and
    one that decodes the next picture meanwhile; with one CPU the event loop does it all, unless that is so
    slow that a picture takes long.
    """
    half, one, two = (threads(containers, millicores) for millicores in (500, 1000, 2000))
    assert (half - one, two - one) in {
        (0, 3),  # the event loop scores with either
        (1, 3),  # half a CPU is too slow for that
        (0, 2),  # one is, too
    }


def threads(containers: Containers, millicores: int) -> int:
    """Of the process that scores, once it has."""
    limits = stack(resnet={"cpu_millicores": millicores})
    with containers.running("resnet", limits) as resnet:
        assert is_right("resnet", classify(resnet))
        return len(resnet.processes()[0].threads())


def test_the_cpu_limit_is_seen_from_inside(containers: Containers) -> None:
    """Of which every thread count of a service follows; a fraction is rounded up."""
    seen = "from services.serving.cpu import available_cpus; print(available_cpus())"
    with containers.running("faq", stack()) as faq:
        for limit, cpus in (("0.3", "1"), ("1", "1"), ("1.5", "2")):
            faq.docker.run("update", "--cpus", limit, faq.id)
            assert faq.python(seen) == cpus
