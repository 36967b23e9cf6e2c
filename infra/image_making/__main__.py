"""Build a stack's images on this machine's Docker engine, each with its bill of materials.

Writes IMAGE.cdx.json (CycloneDX) and IMAGE.json (name, id, digest, size) for every workload. With --push the
images go to a registry, and the file names the digest that a stack takes (`images: prebuilt`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.image_making.bill_of_materials import (
    BillOfMaterialsFailed,
    find_syft,
    write_bill_of_materials,
)
from infra.image_making.build import ImageBuild, build_image, labels_of, without_model
from infra.image_making.docker_client import DockerClient, DockerFailed, find_docker
from infra.image_making.pushing import push
from infra.image_source import image_source
from infra.images import BuildSpec, build_spec, stamped
from infra.planning.stacks import StackRefused, read_stack
from infra.settings import Settings
from infra.workload import WORKLOADS, WorkloadName, enabled, is_service
from infra.written_file import write_file

PROGRAM = "python -m infra.image_making"
LOCAL = "localhost"
MANIFEST = "manifest.json"
"""Of every model folder (services/serving/model_folder.py)."""


class ModelMissing(Exception):
    """A folder that should hold a model does not; the message is one line."""


@dataclass(frozen=True)
class MadeImage:
    """What is written beside a bill of materials.

    Attributes:
        name: what the engine calls the image.
        id: hash of its configuration, ``sha256:…``.
        digest: ``repository@sha256:…`` in the registry; None for an image that was not pushed.
        bytes: uncompressed, with its base.
    """

    name: str
    id: str
    digest: str | None
    bytes: int


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    flags = _parser().parse_args(arguments)
    try:
        _, settings = read_stack(flags.stack, program=PROGRAM)
        workloads = flags.workloads or enabled(settings)
        models = {workload: _model(workload, flags) for workload in workloads}
        docker = find_docker()
        docker.run("version")
        find_syft()
        flags.into.mkdir(parents=True, exist_ok=True)
        for workload in workloads:
            _make(docker, settings, workload, models[workload], flags)
    except StackRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    except (DockerFailed, BillOfMaterialsFailed, ModelMissing) as failed:
        print(f"{PROGRAM}: {failed}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{PROGRAM}: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    return 0


def _make(
    docker: DockerClient,
    settings: Settings,
    workload: WorkloadName,
    model: Path | None,
    flags: argparse.Namespace,
) -> None:
    source = image_source(workload)
    spec = stamped(_spec(settings, workload, flags), source)
    name = f"{flags.push or LOCAL}/{settings.name}-{workload}:{flags.tag}"
    build = ImageBuild(
        workload, spec, name,
        labels=labels_of(source), network=flags.network, model=model,
    )  # fmt: skip
    identifier = build_image(docker, build, progress=True)
    digest = push(docker, name) if flags.push else None
    write_bill_of_materials(
        docker, identifier, flags.into / f"{workload}.cdx.json",
        name=f"{settings.name}-{workload}", version=identifier,
    )  # fmt: skip
    size = int(docker.run("image", "inspect", "--format", "{{.Size}}", identifier))
    made = MadeImage(name, identifier, digest, size)
    write_file(flags.into / f"{workload}.json", json.dumps(asdict(made), indent=2) + "\n")
    print(f"{workload}: {digest or name}, {size / 1e6:.0f} MB, {flags.into / workload}.cdx.json")


def _spec(settings: Settings, workload: WorkloadName, flags: argparse.Namespace) -> BuildSpec:
    spec = build_spec(settings, workload)
    if flags.base_image:
        spec = BuildSpec(spec.target, {**spec.arguments, "BASE_IMAGE": flags.base_image})
    return without_model(workload, spec) if flags.without_model else spec


def _model(workload: WorkloadName, flags: argparse.Namespace) -> Path | None:
    """The folder that the image's model is copied from; None where the build makes one."""
    if flags.models is None or not is_service(workload) or flags.without_model:
        return None
    folder = flags.models / workload
    if not (folder / MANIFEST).is_file():
        raise ModelMissing(f"{folder} holds no model: {MANIFEST} is not there")
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    parser.add_argument("stack", help="a stack's name, or the path of a settings file")
    parser.add_argument(
        "workloads", nargs="*", metavar="workload", type=_workload,
        help="which ones; without any, all that the stack deploys",
    )  # fmt: skip
    parser.add_argument("--into", type=Path, default=Path("images"), help="folder; default images")
    parser.add_argument("--tag", default="latest", help="of the images' names; default latest")
    parser.add_argument("--push", metavar="REGISTRY", help="push to this registry (and namespace)")
    parser.add_argument("--without-model", action="store_true", help="for models that are mounted")
    parser.add_argument(
        "--models", metavar="FOLDER", type=Path,
        help="take FOLDER/faq and FOLDER/resnet, instead of training and fetching in the build",
    )  # fmt: skip
    parser.add_argument("--base-image", help="another base; it needs Python 3.11 with venv")
    parser.add_argument("--network", help="of the build's instructions, as of docker build")
    return parser


def _workload(given: str) -> WorkloadName:
    # Not by `choices`, which refuses an empty list of a `*` argument.
    for name in WORKLOADS:
        if given == name:
            return name
    raise argparse.ArgumentTypeError(f"{given}: choose from {', '.join(WORKLOADS)}")


if __name__ == "__main__":
    sys.exit(main())
