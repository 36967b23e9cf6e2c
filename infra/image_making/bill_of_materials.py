"""What an image holds, as a CycloneDX document, written by syft.

`make syft` installs syft from a package of the index that wraps its release for Linux; one's own,
such as a newer release, is named by the environment variable ``SYFT``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from infra.image_making.docker_client import DockerClient, last_line
from infra.planning.stacks import ROOT

INSTALLED = ROOT / ".venvs" / "syft" / "bin" / "syft"
FORMAT = "cyclonedx-json"
LONGEST_SECONDS = 900
VERSION_SECONDS = 60


class BillOfMaterialsFailed(Exception):
    """It could not be written; the message is one line."""


def find_syft() -> Path:
    """The program, which was seen to run: builds are too long to find out behind them.

    Raises:
        BillOfMaterialsFailed: it is not here, or does not run, as after the environment was moved.
    """
    own = os.environ.get("SYFT")
    program = Path(own or INSTALLED)
    if not program.is_file():
        raise BillOfMaterialsFailed(f"{program} is not here; run: make syft")
    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=VERSION_SECONDS,
            check=False,
        )  # fmt: skip
        runs = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        runs = False
    if not runs:
        remedy = "set SYFT to one that does" if own else "run: rm -r .venvs/syft && make syft"
        raise BillOfMaterialsFailed(f"{program} is here and does not run; {remedy}")
    return program


def write_bill_of_materials(
    docker: DockerClient, image: str, path: Path, *, name: str, version: str
) -> None:
    """Write the document for an image of the engine: Debian's packages, Python's and their licences.

    Args:
        docker: client of the engine.
        image: its id or name there.
        path: of the file, which is written under another name first.
        name: what the document calls the image.
        version: its id, so that document and image cannot be mistaken for another's.

    Raises:
        BillOfMaterialsFailed: syft is missing or failed.
    """
    part = path.with_name(f"{path.name}.part")
    options = ["--output", f"{FORMAT}={part}", "--source-name", name, "--source-version", version]
    try:
        done = subprocess.run(
            [find_syft(), "scan", f"docker:{image}", "--quiet", *options],
            env={**docker.environment, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_SECONDS,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise BillOfMaterialsFailed(f"syft: {last_line(done.stderr)}")
        part.replace(path)
    except subprocess.TimeoutExpired:
        raise BillOfMaterialsFailed(f"syft took more than {LONGEST_SECONDS} s") from None
    finally:
        part.unlink(missing_ok=True)
