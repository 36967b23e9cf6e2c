"""What a workload is called, where it runs and which of its images it needs."""

from __future__ import annotations

from typing import Literal

from infra.scheduling import PoolKind
from infra.sections.workloads import WorkloadSettings
from infra.settings import Settings

WorkloadName = Literal["faq", "resnet", "web"]
PictureLibrary = Literal["onnxruntime", "torch", "keras", "tensorflow"]
WORKLOADS: tuple[WorkloadName, ...] = ("faq", "resnet", "web")


def settings_of(settings: Settings, name: WorkloadName) -> WorkloadSettings:
    """The workload's own section of the settings."""
    sections: dict[WorkloadName, WorkloadSettings] = {
        "faq": settings.faq,
        "resnet": settings.resnet,
        "web": settings.web,
    }
    return sections[name]


def enabled(settings: Settings) -> tuple[WorkloadName, ...]:
    """The workloads that the stack deploys."""
    return tuple(name for name in WORKLOADS if settings_of(settings, name).enabled)


def is_service(name: WorkloadName) -> bool:
    """Whether it scores, and so has a queue, a key file and a deadline; web has none of them."""
    return name != "web"


def services_of(settings: Settings) -> tuple[WorkloadName, ...]:
    """The scoring services among them."""
    return tuple(name for name in enabled(settings) if is_service(name))


def pool_of(settings: Settings, name: WorkloadName) -> PoolKind:
    """The pool whose nodes the workload's pods ask for."""
    return "gpu" if name == "resnet" and settings.resnet.device == "gpu" else "cpu"


def picture_library(settings: Settings) -> PictureLibrary:
    """The library that runs the picture service's network, and so the image that it needs.

    Each is in an image of its own: torch and its CUDA take gigabytes, TensorFlow hundreds of
    megabytes.
    """
    resnet = settings.resnet
    if resnet.backend != "auto":
        return resnet.backend
    return "torch" if resnet.device == "gpu" else "onnxruntime"
