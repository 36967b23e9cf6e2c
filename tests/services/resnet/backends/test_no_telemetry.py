"""ONNX Runtime tells nobody what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.launch import ROOT
from services.resnet.classifier_folder import ClassifierFolder

OPEN_ONE = """
import sys
from pathlib import Path
from services.resnet.backends.onnx_graph import OnnxRuntimeBackend
from services.resnet.classifier_folder import read_classifier_folder

OnnxRuntimeBackend(read_classifier_folder(Path(sys.argv[1])), threads=1, spinning=False)
"""


def test_no_identifier_and_no_report_is_kept_to_be_sent(
    seeded: ClassifierFolder, tmp_path: Path
) -> None:
    """What would be sent waits in a file of the home folder, beside an identifier of the machine.

    Found by tests/images: a container of the service asked for the address of the vendor's
    collector every few seconds, on a network that leads nowhere.
    """
    # Without CI and the like, in which the library keeps quiet by itself.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", OPEN_ONE, str(seeded.onnx_path.parent)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)
    assert list(tmp_path.rglob("*")) == []
