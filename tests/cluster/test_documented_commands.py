"""The pages' kubectl commands, run as they are written: each finds what it asks for.

No container runs here, so that logs, a forwarded port and a shell end at the node's kubelet, which
kubectl asks only when everything that it was told is there.
"""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cluster.api import Api, Object, Refused
from tests.cluster.control_plane import ENGINE, SCRIPT
from tests.cluster.deployed_stack import DeployedStack, stack_on
from tests.cluster.test_roles import READERS
from tests.docs.commands import Command, commands
from tests.waiting import wait_for

FURTHER = Path(__file__).with_name("not_of_the_stack.yaml")
LOOKING = {"get", "describe", "logs", "top"}
OF_THE_KUBELET = {"logs", "port-forward", "debug"}
KUBELET_IS_NOT_HERE = "no preferred addresses found"
METRICS = "/apis/metrics.k8s.io/v1beta1/pods"
PLACEHOLDER = re.compile(r"(?<!\w)[A-Z]{2,}\b|…")
COMMANDS = {each.words: each for each in commands("kubectl") if len(each.words) > 2}


@dataclass(frozen=True)
class Cluster:
    """A stack's cluster, and what the pages' placeholders stand for in it."""

    folder: Path
    program: str
    stack: DeployedStack
    placeholders: dict[str, str]

    def run(self, command: Command) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *map(self._filled, command.words[1:])],
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "KUBECONFIG": str(self.folder / "kubeconfig"), "KUBE_EDITOR": "true"},
        )  # fmt: skip

    def _filled(self, word: str) -> str:
        return PLACEHOLDER.sub(lambda found: self._meant_by(found[0]), word)

    def _meant_by(self, placeholder: str) -> str:
        if placeholder == "POD":
            # Of this moment: where the tests take minutes, the autoscaler takes pods away meanwhile.
            return self.stack.pods("faq")[0]["metadata"]["name"]
        return self.placeholders[placeholder]


def kubeconfig(api: Api) -> str:
    server = {"server": api.address, "insecure-skip-tls-verify": True}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": server}],
            "users": [{"name": "admin", "user": {"token": api.token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "admin"}}],
            "current-context": "tests",
        }
    )


@pytest.fixture(scope="module")
def kubectl() -> str:
    folder = subprocess.run([SCRIPT, "bin"], capture_output=True, text=True, check=True).stdout
    return str(Path(folder.strip()) / "kubectl")


@pytest.fixture(scope="module")
def cluster(api: Api, kubectl: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The stack that has everything, after a release, with a node more than it needs."""
    stack = stack_on(api, "everything-on")
    folder = tmp_path_factory.mktemp("documented-commands")
    (folder / "kubeconfig").write_text(kubeconfig(api))
    definitions_of_the_gateway(folder)
    applied: list[Object] = []
    try:
        stack.apply()
        for each in yaml.safe_load_all(FURTHER.read_text()):
            apply_when_served(api, each)
            applied.append(each)
        stack.settle()
        release(stack)
        before = set(stack.nodes())
        stack.grow(next(pool for pool in stack.pools if pool.name == "cpu"))
        (spare,) = set(stack.nodes()) - before
        measure(stack)
        placeholders = {
            "NODE": spare,
            "…": next(name for name in stack.nodes() if "-gpu-" in name),
            "IMAGE": "busybox",
            "NAMESPACE": "default",
            "NAME": "claim",
            "WORKLOAD": "web",
        }
        yield Cluster(folder, kubectl, stack, placeholders)
    finally:
        clear(stack, applied)


def clear(stack: DeployedStack, applied: list[Object]) -> None:
    """Leave the control plane as other tests expect it, its kinds above all."""
    for each in stack.api.list(METRICS):
        metadata = each["metadata"]
        stack.api.delete(
            METRICS.replace("/pods", f"/namespaces/{metadata['namespace']}/pods/{metadata['name']}")
        )
    for pod in stack.api.list("/api/v1/namespaces/default/pods"):
        stack.api.delete(f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}", at_once=True)
    for each in reversed(applied):
        stack.api.delete(stack.api.path_of(each))
    stack.remove()
    wait_for(
        lambda: "acme.cert-manager.io" not in {g["name"] for g in stack.api.get("/apis")["groups"]},
        20,
    )


def definitions_of_the_gateway(folder: Path) -> None:
    """The files of Envoy Gateway's chart, under the names that they have there."""
    generated = folder / "generated"
    generated.mkdir()
    for file in (ENGINE / "crds").glob("gateway.envoyproxy.io_*.yaml"):
        shutil.copy(file, generated)
    files = sorted((ENGINE / "crds").glob("gateway.networking.k8s.io_*.yaml"))
    (folder / "gatewayapi-crds.yaml").write_text("\n---\n".join(f.read_text() for f in files))


def apply_when_served(api: Api, found: Object) -> None:
    def applied() -> bool:
        try:
            api.apply(found)
        except (LookupError, Refused) as problem:
            if isinstance(problem, Refused) and problem.status != 404:
                raise
            return False
        return True

    wait_for(applied, 20, f"{found['kind']} is not served")


def release(stack: DeployedStack) -> None:
    """A second revision of a service, which can be undone twice."""
    deployment = stack.one("Deployment", "faq")
    stack.api.merge(
        stack.api.path_of(deployment),
        {"spec": {"template": {"metadata": {"annotations": {"release": "second"}}}}},
    )
    stack.settle()


def measure(stack: DeployedStack) -> None:
    """What a metrics server would say of pods and nodes."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    usage = {"cpu": "100m", "memory": "200Mi"}
    head = {"apiVersion": "metrics.k8s.io/v1beta1", "timestamp": now, "window": "15s"}
    for pod in stack.pods():
        metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
        used = [{"name": each["name"], "usage": usage} for each in pod["spec"]["containers"]]
        stack.api.apply({**head, "kind": "PodMetrics", "metadata": metadata, "containers": used})
    for node in stack.nodes():
        stack.api.apply({**head, "kind": "NodeMetrics", "metadata": {"name": node}, "usage": usage})


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS.values() if set(c.words) & LOOKING], ids=str
)
def test_a_reader_may_look_at_what_the_page_says(command: Command, cluster: Cluster) -> None:
    """Before all others, since some of those change what is there."""
    as_reader = ("--as=somebody@example.org", f"--as-group={READERS}")
    test_kubectl_finds_what_the_page_asks_for(
        Command(command.page, (*command.words, *as_reader)), cluster
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=str)
def test_kubectl_finds_what_the_page_asks_for(command: Command, cluster: Cluster) -> None:
    done = cluster.run(command)
    if set(command.words) & OF_THE_KUBELET:
        assert KUBELET_IS_NOT_HERE in done.stderr, done.stderr
        return
    assert done.returncode == 0, done.stderr
    said = done.stdout or done.stderr
    assert said.strip()
    assert "No resources found" not in said


@pytest.mark.parametrize("command", [c for c in COMMANDS.values() if "-L" in c.words], ids=str)
def test_a_column_of_a_label_is_filled(command: Command, api: Api, cluster: Cluster) -> None:
    label = command.words[command.words.index("-L") + 1]
    assert any(label in node["metadata"]["labels"] for node in api.list("/api/v1/nodes"))


@pytest.mark.parametrize(
    "words",
    [
        ("logs", "-n", "scoring", "deployment/faqs"),
        ("logs", "-n", "scoring", "-l", "app.kubernetes.io/name=faqs"),
        ("get", "pods", "-n", "scorings"),
        ("get", "orders", "-n", "scoring", "-L"),
        ("rollout", "undo", "-n", "scoring", "deployment/faqs"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_noticed(words: tuple[str, ...], cluster: Cluster) -> None:
    with pytest.raises(AssertionError):
        test_kubectl_finds_what_the_page_asks_for(Command("", ("kubectl", *words)), cluster)
