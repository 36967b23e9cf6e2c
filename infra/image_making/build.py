"""One image, from its Dockerfile and what the stack says of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.image_making.docker_client import DockerClient
from infra.image_making.package_index import index_secrets
from infra.image_source import ImageSource
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
        labels: further ones of the image.
        network: of the build's instructions; None for the engine's default.
        model: a folder to lay into the image, in the place of the stage that trains or fetches one;
            None for that stage.
    """

    workload: WorkloadName
    spec: BuildSpec
    tag: str
    context: Path = ROOT
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    network: str | None = None
    model: Path | None = None


def without_model(workload: WorkloadName, spec: BuildSpec) -> BuildSpec:
    """The same image without its model, for one that is mounted."""
    return BuildSpec(WITHOUT_MODEL[workload, spec.target], spec.arguments)


def build_image(docker: DockerClient, build: ImageBuild, *, progress: bool = False) -> str:
    """Build an image with this machine's package index and return its id, ``sha256:…``.

    Raises:
        DockerFailed: the build failed; with ``progress``, why is on standard error.
    """
    if build.model is not None:
        return _build_with(docker, build, build.model, progress=progress)
    with tempfile.TemporaryDirectory(prefix="image-") as folder, index_secrets() as secrets:
        identifier = Path(folder) / "id"
        dockerfile = build.context / "services" / build.workload / "Dockerfile"
        _run(docker, _command(build, secrets, identifier, dockerfile), progress=progress)
        return identifier.read_text().strip()


def _build_with(docker: DockerClient, build: ImageBuild, model: Path, *, progress: bool) -> str:
    """The stage without a model, and the folder laid on it as the Dockerfile lays its own."""
    bare = replace(
        build, spec=without_model(build.workload, build.spec), tag=f"{build.tag}-bare", model=None
    )
    build_image(docker, bare, progress=progress)
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        identifier, dockerfile = Path(folder) / "id", Path(folder) / "Dockerfile"
        dockerfile.write_text(f"FROM {bare.tag}\nCOPY . /models/{build.workload}\n")
        laid = replace(build, spec=BuildSpec(None, {}), context=model)
        _run(docker, _command(laid, {}, identifier, dockerfile), progress=progress)
        return identifier.read_text().strip()


def _run(docker: DockerClient, command: Sequence[str], *, progress: bool) -> None:
    if progress:
        docker.show(*command)
    else:
        docker.run(*command, timeout=3600)


def labels_of(source: ImageSource | None) -> dict[str, str]:
    """When the source was written, as an OCI annotation
    (https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md).

    Its revision and version are labels of the Dockerfile, from the build's arguments.
    """
    if source is None:
        return {}
    return {"org.opencontainers.image.created": source.created.isoformat(timespec="seconds")}


def _command(
    build: ImageBuild, secrets: Mapping[str, Path], identifier: Path, dockerfile: Path
) -> Sequence[str]:
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
    return ["build", *options, "--file", str(dockerfile), str(build.context)]
