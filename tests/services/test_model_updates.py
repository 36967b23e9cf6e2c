"""The real services take another model while they run; v2 reaches both by their versions."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import httpx
import pytest

from services.launch import running
from tests.conformance.conftest import PICTURE, QUESTION

ROWS = {"faq": QUESTION, "resnet": PICTURE.read_bytes()}
OLD, NEW = "old-version", "new-version"


def copied(model: Path, destination: Path, version: str) -> Path:
    """The same model under another version."""
    shutil.copytree(model, destination)
    manifest = destination / "manifest.json"
    document = json.loads(manifest.read_bytes()) | {"version": version}
    manifest.write_text(json.dumps(document))
    return destination


def point(link: Path, folder: Path) -> None:
    """Let the link point elsewhere in one step, as Kubernetes does with a volume's content."""
    beside = link.with_name("beside")
    beside.symlink_to(folder)
    os.replace(beside, link)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_a_new_version_answers_beside_the_old_one_and_a_bad_one_never(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: Path = request.getfixturevalue(f"{name}_model")
    link = tmp_path / "model"
    point(link, copied(model, tmp_path / "old", OLD))
    options = ("--model", link, "--model-check-seconds", "0.2")

    def scored(client: httpx.Client, version: str) -> tuple[int, object]:
        answer = client.post(
            f"/v2/models/{name}/versions/{version}/infer",
            content=ROWS[name],
            headers={"Inference-Header-Content-Length": "0"},
        )
        return answer.status_code, answer.json().get("outputs")

    def versions(client: httpx.Client) -> list[str]:
        return client.get(f"/v2/models/{name}").json()["versions"]

    with (
        running(f"services.{name}", *options, log_folder=tmp_path) as live,
        httpx.Client(base_url=live.url, timeout=30) as client,
    ):
        assert versions(client) == [OLD]
        point(link, copied(model, tmp_path / "new", NEW))
        until = time.monotonic() + 60
        while versions(client) == [OLD]:
            assert time.monotonic() < until, live.log.read_text()
            assert scored(client, OLD)[0] == 200
        assert versions(client) == [NEW, OLD]
        assert scored(client, NEW) == scored(client, OLD)
        assert scored(client, NEW)[0] == 200

        bad = copied(model, tmp_path / "bad", "bad-version")
        biggest = max(bad.iterdir(), key=lambda each: each.stat().st_size)
        biggest.write_bytes(biggest.read_bytes()[:-1] + b"?")
        point(link, bad)
        while "was refused" not in live.log.read_text():
            assert time.monotonic() < until + 60
            assert scored(client, "latest")[0] == 200
        assert versions(client)[0] == NEW
        assert scored(client, "bad-version")[0] == 404
