"""The backend and device that `auto` means."""

from __future__ import annotations

import pytest

from services.resnet.backends.backend import BackendUnavailable
from services.resnet.backends.choice import choose, open_backend
from services.resnet.classifier_folder import ClassifierFolder
from services.resnet.network_files import Library
from services.resnet.settings import BackendName, DeviceName


@pytest.mark.parametrize(
    ("backend", "device", "gpu", "chosen"),
    [
        ("auto", "auto", False, ("onnxruntime", "cpu", 1)),
        ("auto", "auto", True, ("torch", "cuda", 32)),
        ("auto", "cpu", True, ("onnxruntime", "cpu", 1)),
        ("auto", "cuda", True, ("torch", "cuda", 32)),
        ("torch", "auto", False, ("torch", "cpu", 1)),
        ("torch", "auto", True, ("torch", "cuda", 32)),
        ("torch", "cpu", True, ("torch", "cpu", 1)),
        ("onnxruntime", "auto", True, ("onnxruntime", "cpu", 1)),
        ("keras", "auto", True, ("keras", "cuda", 32)),
        ("keras", "auto", False, ("keras", "cpu", 1)),
        ("tensorflow", "cuda", True, ("tensorflow", "cuda", 32)),
    ],
)
def test_auto_is_torch_on_a_gpu_and_onnxruntime_on_a_cpu(
    backend: BackendName, device: DeviceName, gpu: bool, chosen: tuple[str, str, int]
) -> None:
    choice = choose(backend, device, lambda _: gpu)
    assert (choice.backend, choice.device, choice.default_batch) == chosen


@pytest.mark.parametrize(
    ("libraries", "gpu", "chosen"),
    [
        (("keras",), False, ("keras", "cpu")),
        (("torch",), False, ("torch", "cpu")),
        (("tensorflow", "keras"), False, ("tensorflow", "cpu")),
        (("tensorflow", "onnxruntime"), True, ("tensorflow", "cuda")),
        (("onnxruntime",), True, ("onnxruntime", "cpu")),
    ],
)
def test_auto_takes_no_backend_that_the_model_has_no_network_for(
    libraries: tuple[Library, ...], gpu: bool, chosen: tuple[str, str]
) -> None:
    choice = choose("auto", "auto", lambda _: gpu, libraries=libraries)
    assert (choice.backend, choice.device) == chosen


@pytest.mark.parametrize(
    ("backend", "gpu", "reason"),
    [
        ("keras", False, "no GPU"),
        ("auto", False, "no GPU"),
        ("torch", False, "no GPU"),
        ("onnxruntime", True, "needs backend"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_an_error_and_not_a_slow_service(
    backend: BackendName, gpu: bool, reason: str
) -> None:
    with pytest.raises(BackendUnavailable, match=reason):
        choose(backend, "cuda", lambda _: gpu)


def test_onnxruntime_refuses_an_arithmetic_that_it_would_ignore(seeded: ClassifierFolder) -> None:
    with pytest.raises(BackendUnavailable, match="fp16"):
        open_backend(
            choose("onnxruntime", "cpu"), seeded, threads=1, precision="fp16", spinning=False
        )
