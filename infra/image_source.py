"""Which source a workload's image is made of: what its build is told, so that a running service can say.

The revision is the last commit that changed what the image is made of, not the last of all: the
same source gives the same build arguments, so that a commit elsewhere changes no plan, builds no
image and restarts no pod.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from infra.workload import WorkloadName

ROOT = Path(__file__).resolve().parent.parent
RELEASE = re.compile(r"v(\d.*)")
"""A release's tag, with what `git describe` says of the commits since."""


@dataclass(frozen=True)
class ImageSource:
    """What git knows of it.

    Attributes:
        revision: commit, as 40 hexadecimal digits.
        version: the release that it is or follows, such as ``1.4.0`` or ``1.4.0-3-g1a2b3c4``; None
            without a tag ``v…`` before it.
        created: when it was written, in UTC; not when the image is built, or no two would be equal.
    """

    revision: str
    version: str | None
    created: datetime

    @property
    def arguments(self) -> dict[str, str]:
        """Of a build; the Dockerfiles make variables and labels of them."""
        version = {} if self.version is None else {"BUILD_VERSION": self.version}
        return {"BUILD_REVISION": self.revision, **version}


@cache
def image_source(workload: WorkloadName, root: Path = ROOT) -> ImageSource | None:
    """The source of a workload's image.

    None where no commit says it: outside a git work tree, without git, or where what the image is
    made of has changes or new files. In a shallow clone the revision is the one commit there is.
    """
    places = ("services/__init__.py", "services/serving", f"services/{workload}")
    if _git(root, "status", "--porcelain", "--", *places) != "":
        return None
    found = _git(root, "log", "-1", "--format=%H %ct", "--", *places)
    if not found:
        return None
    revision, seconds = found.split()
    described = _git(root, "describe", "--tags", "--match", "v[0-9]*", revision)
    release = RELEASE.fullmatch(described or "")
    return ImageSource(
        revision,
        release[1] if release else None,
        datetime.fromtimestamp(int(seconds), UTC),
    )


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
