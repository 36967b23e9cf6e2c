"""The base of the images: the Dockerfiles' own where it can be pulled, one like it elsewhere.

Without a registry to pull from, Debian's packages make one: `debootstrap` and `docker import`, with
the mirror that this machine's apt uses.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.image_making.docker_client import DockerClient, DockerFailed
from services.launch import ROOT
from tests.images.engine import absent

RELEASE = "bookworm"
"""Its Python is 3.11, as that of the Dockerfiles' own base."""

PACKAGES = "ca-certificates,python3,python3-venv"
LOCAL_NAME = f"scoring-test-base:{RELEASE}-1"
PULL_SECONDS = 180
DEBOOTSTRAP_SECONDS = 1200
LEFT_BEHIND = ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*")


def declared_base() -> str:
    """What the Dockerfiles name, by digest."""
    text = (ROOT / "services" / "web" / "Dockerfile").read_text()
    (base,) = re.findall(r"^ARG BASE_IMAGE=(.*)$", text, re.M)
    return base


def base_image(docker: DockerClient) -> str:
    """The name of a base that the engine has; skips where none can be had."""
    for name in (declared_base(), LOCAL_NAME):
        if _is_there(docker, name):
            return name
    try:
        docker.run("pull", declared_base(), timeout=PULL_SECONDS)
        return declared_base()
    except DockerFailed as unreachable:
        mirror = _mirror()
        if shutil.which("debootstrap") is None or mirror is None:
            absent(f"no base image: {unreachable}; and no debootstrap with a Debian mirror")
    _import_debian(docker, mirror)
    return LOCAL_NAME


def _is_there(docker: DockerClient, name: str) -> bool:
    try:
        docker.run("image", "inspect", name)
    except DockerFailed:
        return False
    return True


def _import_debian(docker: DockerClient, mirror: str) -> None:
    with tempfile.TemporaryDirectory(prefix="scoring-base-") as name:
        root = Path(name) / "root"
        command = [
            "debootstrap",
            "--variant=minbase",
            f"--include={PACKAGES}",
            RELEASE,
            root,
            mirror,
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=DEBOOTSTRAP_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        for pattern in LEFT_BEHIND:
            for path in root.glob(pattern):
                path.unlink()
        archive = Path(name) / "root.tar"
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True, timeout=300)
        docker.run("import", archive, LOCAL_NAME, timeout=300)


def _mirror() -> str | None:
    """Where apt finds this release; None on a machine that is not Debian's."""
    if shutil.which("apt-get") is None:
        return None
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME)",
        "Created-By: Packages",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for line in done.stdout.splitlines():
        address, _, release = line.partition(" ")
        if release == RELEASE:
            return address
    return None
