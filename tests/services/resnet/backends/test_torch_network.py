"""torch: precision, thread limits, padding and what happens when the GPU breaks."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from services.resnet.backends.backend import BackendUnavailable
from services.resnet.backends.torch_network import (
    TorchBackend,
    arithmetic,
    cpu_flags,
    is_broken_device,
)
from services.resnet.classifier_folder import ClassifierFolder, read_classifier_folder
from services.resnet.golden import relative_difference

HAS_GPU = torch.cuda.is_available()
NEEDS_GPU = pytest.mark.skipif(not HAS_GPU, reason="there is no GPU that torch can use here")


def test_a_cpu_computes_in_fp32_unless_told_otherwise() -> None:
    assert arithmetic("auto", "cpu") == "fp32"
    assert arithmetic("fp32", "cpu") == "fp32"


def test_a_cpu_is_never_given_fp16() -> None:
    with pytest.raises(BackendUnavailable, match="fp16"):
        arithmetic("fp16", "cpu")


def test_bf16_needs_a_cpu_that_has_instructions_for_it() -> None:
    if cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"}:
        assert arithmetic("bf16", "cpu") == "bf16"
    else:
        with pytest.raises(BackendUnavailable, match="bf16"):
            arithmetic("bf16", "cpu")


def test_instruction_sets_are_read_for_x86_and_arm(tmp_path: Path) -> None:
    x86, arm = tmp_path / "x86", tmp_path / "arm"
    x86.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\nbugs\t: none\n")
    arm.write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert cpu_flags(x86) == {"fpu", "avx2", "avx512_bf16"}
    assert cpu_flags(arm) == {"fp", "asimd", "bf16"}
    assert cpu_flags(tmp_path / "none") == frozenset()


def test_only_what_leaves_the_gpu_unusable_ends_the_process() -> None:
    assert is_broken_device(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert is_broken_device(torch.AcceleratorError("device-side assert triggered"))
    assert not is_broken_device(torch.OutOfMemoryError("CUDA out of memory."))
    assert not is_broken_device(RuntimeError("shape mismatch"))


class BrokenGpu:
    """A network whose every call fails as on a GPU after an illegal access."""

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


@pytest.mark.parametrize(("device", "statuses"), [("cuda", [70]), ("cpu", [])])
def test_a_gpu_that_broke_ends_the_process_with_a_status(
    seeded: ClassifierFolder,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    statuses: list[int],
) -> None:
    ended: list[int] = []
    backend = TorchBackend(
        seeded, device="cpu", threads=1, precision="fp32", exit_process=ended.append
    )
    monkeypatch.setattr(backend, "_device", torch.device(device))
    monkeypatch.setattr(backend, "_run", BrokenGpu())
    with pytest.raises(RuntimeError, match="illegal memory access"):
        backend.logits(seeded.golden.batch)
    assert ended == statuses


def test_it_uses_the_threads_that_it_is_given(seeded: ClassifierFolder) -> None:
    before = torch.get_num_threads()
    try:
        TorchBackend(seeded, device="cpu", threads=1, precision="fp32")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_parameters_of_another_network_are_refused_in_one_line(
    seeded: ClassifierFolder, lite0: ClassifierFolder, tmp_path: Path
) -> None:
    shutil.copytree(seeded.path, tmp_path / "model")
    shutil.copy(lite0.state_path, tmp_path / "model" / "model.safetensors")
    other = replace(seeded, path=tmp_path / "model")
    with pytest.raises(BackendUnavailable, match=r"model\.safetensors") as raised:
        TorchBackend(other, device="cpu", threads=1, precision="fp32")
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(
    not cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"}, reason="this CPU has no bf16"
)
def test_bf16_on_a_cpu_stays_within_its_tolerance(lite0: ClassifierFolder) -> None:
    backend = TorchBackend(lite0, device="cpu", threads=1, precision="bf16")
    difference = relative_difference(backend.logits(lite0.golden.batch), lite0.golden.logits)
    assert 1e-4 < difference < backend.tolerance


@NEEDS_GPU
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_a_gpu_agrees_with_the_cpu(lite0_folder: Path, precision: str) -> None:
    folder = read_classifier_folder(lite0_folder)
    backend = TorchBackend(folder, device="cuda", threads=1, precision=precision)  # type: ignore[arg-type]
    batch = np.repeat(folder.golden.batch, 3, axis=0)
    expected = np.repeat(folder.golden.logits, 3, axis=0)
    assert relative_difference(backend.logits(batch), expected) < backend.tolerance


def test_warm_up_and_requests_run_in_one_thread_whoever_calls(
    seeded: ClassifierFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = TorchBackend(seeded, device="cpu", threads=1, precision="fp32")
    seen: list[int] = []

    def noted(batch: np.ndarray) -> np.ndarray:
        seen.append(threading.get_ident())
        return batch

    monkeypatch.setattr(backend, "_run", noted)
    callers = [threading.Thread(target=backend.logits, args=(np.zeros(1),)) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    backend.logits(np.zeros(1, dtype=np.float32))
    assert len(seen) == 4
    assert len(set(seen)) == 1
