"""Real services for every test that needs one: trained models, real processes, real HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.launch import ROOT, running
from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from tests.cleanup import ended_by

# A shell that starts the tests in the background has SIGINT ignored, and every command that they
# start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What ends the tests from outside ends them as Ctrl-C does: with all that they have started.
signal.signal(signal.SIGTERM, signal.default_int_handler)

pytest_plugins = ["tests.images.fixtures", "tests.timeouts"]

BROWSER = ROOT / "tests" / "browser"
CORPUS = ROOT / "services" / "faq" / "corpus"


@dataclass(frozen=True)
class Server:
    """A service that runs for the whole test session, and a key that it accepts."""

    url: str
    metrics_url: str
    key: str
    log: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last: Playwright's event loop stays in the main thread after them."""
    items.sort(key=lambda item: BROWSER in item.path.parents)


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


@pytest.fixture(scope="session")
def faq_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FAQ model, trained on the repository's corpus."""
    folder = tmp_path_factory.mktemp("models") / "faq"
    run_command("services.faq", "train", "--data", CORPUS, "--model", folder)
    return folder


@pytest.fixture(scope="session")
def resnet_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image model with real ImageNet weights."""
    folder = tmp_path_factory.mktemp("models") / "resnet"
    run_command(
        "services.resnet", "fetch", "--architecture", "efficientnet_lite0", "--model", folder
    )
    return folder


@pytest.fixture(scope="session")
def faq_server(faq_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The FAQ service with that model, which needs a key."""
    yield from serve("services.faq", faq_model, tmp_path_factory.mktemp("faq-server"))


@pytest.fixture(scope="session")
def resnet_server(resnet_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The image service with that model, which needs a key."""
    yield from serve("services.resnet", resnet_model, tmp_path_factory.mktemp("resnet-server"))
