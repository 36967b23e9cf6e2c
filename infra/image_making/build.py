"""One image, from its Dockerfile and what the stack says of it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from infra.image_making.docker_client import DockerClient
from infra.image_making.package_index import index_secrets
from infra.images import PLATFORM, BuildSpec
from infra.planning.stacks import ROOT
from infra.workload import WorkloadName

WITHOUT_MODEL: Mapping[tuple[WorkloadName, str | None], str | None] = {
    ("faq", None): "without-model",
    ("resnet", "onnxruntime"): "onnxruntime-without-model",
    ("resnet", "torch"): "torch-without-model",
    ("resnet", "keras"): "tensorflow-without-model",
    ("resnet", "tensorflow"): "tensorflow-without-model",
    ("web", None): None,
}
"""The stage that lacks the model only, by workload and target."""


@dataclass(frozen=True)
class ImageBuild:
    """What is to be built.

    Attributes:
        workload: whose image.
        spec: target and build arguments; readable in the image, so none is a secret.
        tag: what the engine calls the image.
        context: the repository's root, or a copy of it.
        network: of the build's instructions; None for the engine's default.
    """

    workload: WorkloadName
    spec: BuildSpec
    tag: str
    context: Path = ROOT
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    network: str | None = None


def without_model(workload: WorkloadName, spec: BuildSpec) -> BuildSpec:
    """The same image without its model, for one that is mounted."""
    return BuildSpec(WITHOUT_MODEL[workload, spec.target], spec.arguments)


def build_image(docker: DockerClient, build: ImageBuild, *, progress: bool = False) -> str:
    """Build an image with this machine's package index and return its id, ``sha256:…``.

    Raises:
        DockerFailed: the build failed; with ``progress``, why is on standard error.
    """
    with tempfile.TemporaryDirectory(prefix="image-") as folder, index_secrets() as secrets:
        identifier = Path(folder) / "id"
        command = _command(build, secrets, identifier)
        if progress:
            docker.show(*command)
        else:
            docker.run(*command, timeout=3600)
        return identifier.read_text().strip()


def provenance_labels(root: Path = ROOT) -> dict[str, str]:
    """Which source an image is made of and when that was written, as OCI annotations
    (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md).

    Empty where that is unknown: outside a git work tree, or in one with changes.
    """
    if _git(root, "status", "--porcelain", "--untracked-files=no") != "":
        return {}
    revision, seconds = _git(root, "rev-parse", "HEAD"), _git(root, "log", "-1", "--format=%ct")
    if not revision or not seconds:
        return {}
    prefix = "org.opencontainers.image"
    # The source's time, not the build's: the same source gives the same labels.
    created = datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds")
    return {f"{prefix}.revision": revision, f"{prefix}.created": created}


def _command(build: ImageBuild, secrets: Mapping[str, Path], identifier: Path) -> Sequence[str]:
    options = ["--platform", PLATFORM, "--tag", build.tag, "--iidfile", str(identifier)]
    if build.spec.target is not None:
        options += ["--target", build.spec.target]
    if build.network is not None:
        options += ["--network", build.network]
    for key, value in build.spec.arguments.items():
        options += ["--build-arg", f"{key}={value}"]
    for key, value in build.labels.items():
        options += ["--label", f"{key}={value}"]
    for name, path in secrets.items():
        options += ["--secret", f"id={name},src={path}"]
    dockerfile = build.context / "services" / build.workload / "Dockerfile"
    return ["build", *options, "--file", str(dockerfile), str(build.context)]


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None if it cannot say."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
