"""Settings of the two services and the client application."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from infra.sections.base import DigestReference, Secret, Section
from infra.sections.forms import matching
from infra.sections.sign_in import SignInSettings

Architecture = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z0-9_]{1,40}",
            "a name of torchvision's or Keras's in lower case, such as resnet152",
        )
    ),
]
Weights = Annotated[
    str,
    AfterValidator(
        matching(r"[A-Za-z0-9_]{1,40}", "the name of published weights, such as IMAGENET1K_V2")
    ),
]


class ScalingSettings(Section):
    """How many pods, and what decides it."""

    min_replicas: int = Field(default=1, ge=1, le=100, description="fewest pods")
    max_replicas: int = Field(default=4, ge=1, le=500, description="most pods")
    metric: Literal["cpu", "queue"] = Field(
        default="cpu",
        description="cpu: share of the request; queue: requests waiting for the model (KEDA on "
        "managed Prometheus)",
    )
    target_cpu_percent: int = Field(
        default=65, ge=10, le=95, description="use of the requested CPU at which pods are added"
    )
    target_queue_depth: int = Field(
        default=8, ge=1, le=1000, description="requests waiting per pod at which pods are added"
    )
    scale_down_minutes: int = Field(
        default=5, ge=1, le=60, description="how long less must have been enough before a pod goes"
    )


class WorkloadSettings(Section):
    """What both services and the client application have."""

    enabled: bool = Field(default=True, description="deploy it")
    image: DigestReference | None = Field(
        default=None, description="image by digest; needed where images are prebuilt"
    )
    cpu_millicores: int = Field(
        default=1000, ge=50, le=64_000, description="CPU that a pod asks for and may use"
    )
    memory_mib: int = Field(
        default=512, ge=64, le=512_000, description="memory that a pod asks for and may use"
    )
    scaling: ScalingSettings = Field(default_factory=ScalingSettings, description="number of pods")
    max_unavailable: int = Field(
        default=1, ge=1, le=10, description="most pods missing at once while nodes are drained"
    )
    drain_seconds: int = Field(
        default=10, ge=0, le=120, description="how long a pod that ends still takes requests"
    )
    stop_seconds: int = Field(
        default=30, ge=1, le=300, description="then, how long it may finish what is under way"
    )


class ServiceSettings(WorkloadSettings):
    """What both scoring services have."""

    queue_limit: int = Field(
        default=64,
        ge=1,
        le=65_536,
        description="most requests in one pod before others are refused",
    )
    queue_mib: int = Field(
        default=64,
        ge=1,
        le=512_000,
        description="most memory that request bodies take in one pod before others are refused",
    )
    deadline_ms: int = Field(
        default=5000, ge=1, le=600_000, description="longest a request may wait for its answer"
    )
    requests_per_second: float = Field(
        default=0.0, ge=0, description="rate allowed to one API key in one pod; 0 for no limit"
    )


class FaqSettings(ServiceSettings):
    """The question service."""

    queue_limit: int = Field(
        default=128,
        ge=1,
        le=65_536,
        description="most requests in one pod before others are refused",
    )
    memory_mib: int = Field(
        default=512, ge=300, le=512_000, description="memory that a pod asks for and may use"
    )


class ResnetSettings(ServiceSettings):
    """The picture service."""

    cpu_millicores: int = Field(
        default=2000, ge=500, le=64_000, description="CPU that a pod asks for and may use"
    )
    memory_mib: int = Field(
        default=2048, ge=1024, le=512_000, description="memory that a pod asks for and may use"
    )
    device: Literal["cpu", "gpu"] = Field(
        default="cpu", description="where the network runs; gpu needs cluster.gpu_pool"
    )
    backend: Literal["auto", "onnxruntime", "torch", "keras", "tensorflow"] = Field(
        default="auto",
        description="what runs the network, and so which image is built; auto: torch on a GPU, "
        "else onnxruntime",
    )
    architecture: Architecture = Field(
        default="resnet152",
        description="classifier that is built into the image: of torchvision, or of Keras for the "
        "backends keras and tensorflow",
    )
    weights: Weights = Field(
        default="default",
        description="published weights that are built into the image; default: the best that are "
        "published, IMAGENET1K_V2 of torchvision's resnet152 and imagenet of Keras",
    )
    max_pixels: int = Field(
        default=25_000_000, ge=1, le=178_000_000, description="most pixels of a picture"
    )


class WebSettings(WorkloadSettings):
    """The client application: a page for people."""

    enabled: bool = Field(default=False, description="deploy it; needs api_key and sign_in")
    cpu_millicores: int = Field(
        default=250, ge=50, le=64_000, description="CPU that a pod asks for and may use"
    )
    memory_mib: int = Field(
        default=256, ge=64, le=512_000, description="memory that a pod asks for and may use"
    )
    api_key: Secret | None = Field(
        default=None,
        description="key with which the page's server calls the services; its hash joins the key "
        "file by itself; set it with `pulumi config set --secret`",
    )
    sign_in: SignInSettings | None = Field(
        default=None,
        description="who may use the page; needed wherever it is reached from beyond one machine",
    )
