"""ResNet-152 itself: Keras and TensorFlow give the classes and probabilities that torch gives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.launch import ROOT
from services.resnet.backends.torch_network import TorchBackend
from services.resnet.classifier_folder import read_classifier_folder
from services.resnet.golden import relative_difference
from services.resnet.top_classes import softmax, top_classes

TENSORFLOW = ROOT / ".venvs" / "tensorflow" / "bin" / "python"
CONVERTED = """
import json, pathlib, sys
import numpy as np
from services.resnet.backends.choice import Choice, open_backend
from services.resnet.keras_conversion import keras_of_onnx
from services.resnet.keras_files import write_network
from services.resnet.network_files import NetworkFiles

graph, folder, batch = sys.argv[1:]
network, logits = keras_of_onnx(pathlib.Path(graph)), {}
for framework in ("keras", "tensorflow"):
    files = pathlib.Path(folder, framework)
    files.mkdir()
    write_network(network, files, framework)
    choice, found = Choice(framework, "cpu"), NetworkFiles(files, "")
    backend = open_backend(choice, found, threads=1, precision="auto", spinning=False)
    logits[framework] = np.asarray(backend.logits(np.load(batch))).tolist()
print(json.dumps(logits))
"""
"""What `convert` does, where TensorFlow is, with a graph that was exported where torch is."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not TENSORFLOW.exists(), reason="TensorFlow is not here: make tensorflow")
def test_resnet152_gives_one_answer_in_every_framework(
    fetched: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """With seeded weights no class stands out: what is close to the eye is compared as logits, too."""
    folder = read_classifier_folder(fetched("resnet152", "seeded"))
    noise = folder.golden.batch
    ramp = np.broadcast_to(np.linspace(-2, 2, noise.shape[-1], dtype=np.float32), noise.shape)
    batch = np.concatenate([noise, ramp, 3 * noise])
    expected = TorchBackend(folder, device="cpu", threads=1, precision="fp32").logits(batch)
    assert np.ptp(expected, axis=0).max() > 0.1, "the pictures must not look alike to it"
    np.save(tmp_path / "batch.npy", batch)
    done = subprocess.run(
        [TENSORFLOW, "-c", CONVERTED, folder.onnx_path, tmp_path, tmp_path / "batch.npy"],
        cwd=ROOT, capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    logits = json.loads(done.stdout.splitlines()[-1])
    for framework in ("keras", "tensorflow"):
        answer = np.array(logits[framework], np.float32)
        assert relative_difference(answer, expected) < 1e-4
        found, right = softmax(answer), softmax(expected)
        np.testing.assert_allclose(found, right, atol=1e-4, err_msg=framework)
        for each, other in zip(found, right, strict=True):
            assert top_classes(each, 5).tolist() == top_classes(other, 5).tolist()
