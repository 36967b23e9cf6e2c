"""Real services for every test that needs one: trained models, real processes, real HTTP."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from services.launch import ROOT, running
from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from tests.cleanup import ended_by

# A shell that starts the tests in the background has SIGINT ignored, and every command that they
# start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What ends the tests from outside ends them as Ctrl-C does: with all that they have started.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = ["tests.images.fixtures", "tests.timeouts"]

TESTS = ROOT / "tests"
ENGINES = ("cluster", "e2e", "engine", "gateway", "images")
SHARE_RECORDINGS = ("infra", "policies")
LONGEST = ("engines", "recordings")
CORPUS = ROOT / "services" / "faq" / "corpus"


@dataclass(frozen=True)
class Server:
    """A service that runs for the whole test session, and a key that it accepts."""

    url: str
    metrics_url: str
    key: str
    log: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the groups in their order."""
    items.sort(key=lambda item: place_of(group_of(item.path)))


class Groups(LoadScopeScheduling):
    """Gives each worker whole groups, in their order (pytest -n 2)."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(ROOT / nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    config.option.loadscopereorder = False
    return Groups(config, log)


def group_of(path: Path) -> str:
    """Tests that one worker runs, because they share an engine, servers or a cache.

    The engines' tests mostly wait, and are one group, so that no two engines ever run at once.
    """
    folder, *rest = path.relative_to(TESTS).parts
    if folder in ENGINES:
        return "engines"
    if folder in SHARE_RECORDINGS:
        return "recordings"
    return f"{folder}-{rest[0]}" if len(rest) > 1 and folder == "services" else folder


def place_of(group: str) -> int:
    """The longest first, so that no worker waits long for the other; the browser last.

    Playwright's event loop stays in the main thread after its tests.
    """
    if group in LONGEST:
        return LONGEST.index(group) - len(LONGEST)
    return int(group == "browser")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes that are no text are named by their parameter.

    What gzip writes begins with the time, and parallel runs of one test must agree on its name.
    """
    return argname if isinstance(val, bytes) and not val.isascii() else None


def write_keys(folder: Path, *scopes: str) -> tuple[Path, str]:
    """A key file with one key for ``scopes``, and the key."""
    key = new_key()
    path = folder / "keys.json"
    entry = ApiKey(name="tests", sha256=key_hash(key), scopes=frozenset(scopes))
    write_key_file(path, KeyFile(keys=(entry,)))
    return path, key


def run_command(module: str, *arguments: str | Path) -> None:
    """Run ``python -m module`` and fail the test with its error if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{module} {arguments[0]}: {done.stderr[-2000:]}")


def serve(module: str, model: Path, folder: Path) -> Iterator[Server]:
    """A service with one model and a key of its own, until the generator is closed."""
    keys, key = write_keys(folder, module.rsplit(".", 1)[-1])
    with (
        running(module, "--model", model, "--keys", keys, log_folder=folder) as service,
        ended_by(f"kill {service.process.pid}"),
    ):
        yield Server(service.url, service.metrics_url, key, service.log)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker makes, and that the others wait for."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "models" / name
    folder.parent.mkdir(exist_ok=True)
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make(folder)
    return folder


@pytest.fixture(scope="session")
def faq_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FAQ model, trained on the repository's corpus."""

    def train(folder: Path) -> None:
        run_command("services.faq", "train", "--data", CORPUS, "--model", folder)

    return made_once(tmp_path_factory, "faq", train)


@pytest.fixture(scope="session")
def resnet_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image model with real ImageNet weights."""

    def fetch(folder: Path) -> None:
        options = ("--architecture", "efficientnet_lite0", "--model", folder)
        run_command("services.resnet", "fetch", *options)

    return made_once(tmp_path_factory, "resnet", fetch)


@pytest.fixture(scope="session")
def faq_server(faq_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The FAQ service with that model, which needs a key."""
    yield from serve("services.faq", faq_model, tmp_path_factory.mktemp("faq-server"))


@pytest.fixture(scope="session")
def resnet_server(resnet_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The image service with that model, which needs a key."""
    yield from serve("services.resnet", resnet_model, tmp_path_factory.mktemp("resnet-server"))
