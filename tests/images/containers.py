"""Containers of the services, with the walls and limits that their pods have."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.image_making.docker_client import DockerClient, DockerFailed
from infra.kubernetes.environment import environment
from infra.kubernetes.key_file import KEY_FILE, KEY_FOLDER, WEB_KEY_FILE, key_file, web_api_key
from infra.kubernetes.places import API_PORT, METRICS_PORT
from infra.kubernetes.pod import STARTUP_SECONDS, USER_ID
from infra.settings import Settings, read_settings
from infra.workload import WorkloadName, services_of, settings_of
from services.launch import free_ports
from services.serving.api_keys import key_hash, new_key

TEMPORARY = "/tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777"
HARDENED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges")
LABEL = "scoring-tests"
ANSWER_SECONDS = 180


@dataclass(frozen=True)
class Stack:
    """Settings of a stack, and a key that its services accept."""

    settings: Settings
    key: str


def stack(**changes: Mapping[str, Any]) -> Stack:
    """The local stack with the client application, and with these changes of its sections."""
    key = new_key()
    values: dict[str, Any] = {
        "layers": ["local"],
        "images": "build",
        "api_keys": [{"name": "tests", "sha256": key_hash(key), "scopes": ["faq", "resnet"]}],
        "faq": {"drain_seconds": 0},
        "resnet": {"drain_seconds": 0},
        "web": {"enabled": True, "api_key": new_key(), "drain_seconds": 0},
    }
    for section, change in changes.items():
        values[section] = {**values[section], **change}
    return Stack(read_settings(values), key)


@dataclass(frozen=True)
class Container:
    """One that runs, or ran."""

    docker: DockerClient
    id: str
    workload: WorkloadName
    port: int
    metrics_port: int
    key: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, timeout=30)

    def post(self, path: str, **options: Any) -> httpx.Response:
        headers = {"X-API-Key": self.key, **options.pop("headers", {})}
        return httpx.post(
            self.url + path, headers=headers, trust_env=False, timeout=ANSWER_SECONDS, **options
        )

    def metrics(self) -> str:
        address = f"http://127.0.0.1:{self.metrics_port}/metrics"
        return httpx.get(address, trust_env=False, timeout=30).text

    def run(self, *command: str) -> str:
        """What a command prints that is run inside it."""
        return self.docker.run("exec", self.id, *command)

    def python(self, program: str) -> str:
        return self.run("python", "-c", program).strip()

    def state(self) -> dict[str, Any]:
        return json.loads(self.docker.run("inspect", "--format", "{{json .State}}", self.id))

    def restarts(self) -> int:
        return int(self.docker.run("inspect", "--format", "{{.RestartCount}}", self.id))

    def log(self) -> str:
        """Both streams, which the client keeps apart."""
        path = self.docker.run("inspect", "--format", "{{.LogPath}}", self.id).strip()
        with suppress(OSError):
            lines = Path(path).read_text().splitlines()
            return "".join(json.loads(line)["log"] for line in lines)
        return self.docker.run("logs", self.id)

    def stop(self, seconds: int) -> None:
        """SIGTERM, and SIGKILL to what still runs after ``seconds``."""
        self.docker.run("stop", "--time", str(seconds), self.id, timeout=seconds + 60)

    def wait_until_ready(self, seconds: float = 0) -> None:
        until = time.monotonic() + (seconds or STARTUP_SECONDS[self.workload])
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if self.get("/readyz").status_code == 200:
                    return
            if self.state()["Status"] == "exited":
                break
            time.sleep(0.2)
        pytest.fail(f"{self.workload} is not ready: {self.state()} {self.log()[-2000:]}")

    def processes(self) -> list[Process]:
        """Those in it, as the machine sees them; the first is the one that was started."""
        listed = self.docker.run("top", self.id, "-eo", "pid,ppid")
        pids = [int(line.split()[0]) for line in listed.splitlines()[1:]]
        return [Process(pid) for pid in pids]


@dataclass(frozen=True)
class Process:
    """A process of a container, by its number on this machine."""

    pid: int

    def threads(self) -> list[str]:
        """Their names."""
        return [
            (task / "comm").read_text().strip() for task in Path(f"/proc/{self.pid}/task").iterdir()
        ]

    def status(self) -> dict[str, str]:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines}


@dataclass
class Containers:
    """Starts containers, and takes them away again.

    Attributes:
        images: by workload, the image's reference by digest.
        network: on which they find one another.
    """

    docker: DockerClient
    images: Mapping[WorkloadName, str]
    network: str
    folder: Path
    started: int = field(default=0)

    @contextmanager
    def running(
        self,
        workload: WorkloadName,
        stack: Stack,
        *,
        options: Sequence[str] = (),
        read_only: bool = True,
        user: int = USER_ID,
        hosts: Mapping[WorkloadName, str] | None = None,
        image: str | None = None,
        model: Path | None = None,
    ) -> Iterator[Container]:
        """A container of a workload, ready, and gone at the end of the block.

        Args:
            workload: which.
            stack: its settings and key.
            options: further ones of ``docker run``.
            read_only: whether its root is.
            user: number of its user and group.
            hosts: addresses of services that are not found by their names.
            image: another one than the workload's own.
            model: a folder to mount, for an image without a model.
        """
        ports = free_ports(2)
        arguments = [
            "run", "--detach", "--label", LABEL, "--network", self.network,
            *("--publish", f"127.0.0.1:{ports[0]}:{API_PORT}"),
            *("--publish", f"127.0.0.1:{ports[1]}:{METRICS_PORT}"),
            *("--tmpfs", TEMPORARY, "--user", f"{user}:{user}", "--restart", "unless-stopped"),
            *HARDENED,
            *(("--read-only",) if read_only else ()),
            *self._limits(workload, stack.settings),
            *self._variables(workload, stack.settings, hosts or {}),
            *self._volumes(workload, stack.settings, model),
            *options,
            image or self.images[workload],
        ]  # fmt: skip
        identifier = self.docker.run(*arguments).strip()
        container = Container(self.docker, identifier, workload, ports[0], ports[1], stack.key)
        try:
            container.wait_until_ready()
            yield container
        finally:
            with suppress(DockerFailed):
                self.docker.run("rm", "--force", "--volumes", identifier)

    @contextmanager
    def waiting(self) -> Iterator[int]:
        """The number of a process on the network that does nothing, until the end of the block."""
        program = (
            "--entrypoint",
            "python",
            self.images["web"],
            "-c",
            "import signal; signal.pause()",
        )
        identifier = self.docker.run(
            "run", "--detach", "--label", LABEL, "--network", self.network, *program
        ).strip()
        try:
            yield int(self.docker.run("inspect", "--format", "{{.State.Pid}}", identifier))
        finally:
            self.docker.run("rm", "--force", identifier)

    def address(self, container: Container) -> str:
        """Its address on the network."""
        form = f'{{{{(index .NetworkSettings.Networks "{self.network}").IPAddress}}}}'
        return self.docker.run("inspect", "--format", form, container.id).strip()

    def _limits(self, workload: WorkloadName, settings: Settings) -> list[str]:
        section = settings_of(settings, workload)
        memory = f"{section.memory_mib}m"
        cpus = f"{section.cpu_millicores / 1000:g}"
        return ["--memory", memory, "--memory-swap", memory, "--cpus", cpus]

    def _variables(
        self, workload: WorkloadName, settings: Settings, hosts: Mapping[WorkloadName, str]
    ) -> list[str]:
        every: dict[WorkloadName, str] = {
            name: hosts.get(name, name) for name in services_of(settings)
        }
        variables = environment(settings, workload, every)
        return [f"--env={key}={value}" for key, value in variables.items()]

    def _volumes(self, workload: WorkloadName, settings: Settings, model: Path | None) -> list[str]:
        self.started += 1
        keys = self.folder / f"keys-{self.started}"
        keys.mkdir()
        for name, text in (
            (KEY_FILE, key_file(settings)),
            (WEB_KEY_FILE, web_api_key(settings) or ""),
        ):
            (keys / name).write_text(text)
            # The container's user is none of this machine's.
            (keys / name).chmod(0o444)
        volumes = [f"--volume={keys}:{KEY_FOLDER}:ro"]
        if model is not None:
            volumes.append(f"--volume={model}:/models/{workload}:ro")
        return volumes
