"""The settings of the two commands, each by flag or environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.resnet.decoding import PictureLimits
from services.serving.settings import ServiceSettings

DEFAULT_WEIGHTS = "default"
SEEDED_WEIGHTS = "seeded"

BackendName = Literal["auto", "onnxruntime", "torch", "keras", "tensorflow"]
Framework = Literal["torch", "keras", "tensorflow"]
KerasFramework = Literal["keras", "tensorflow"]
DeviceName = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "fp16", "bf16"]


class FetchSettings(BaseSettings):
    """What `fetch` downloads and where it writes the model folder."""

    model_config = SettingsConfigDict(env_prefix="RESNET_", frozen=True, extra="forbid")

    model: Path = Field(description="model folder to write")
    framework: Framework = Field(
        "torch",
        description="whose network: torch: torchvision's, for the backends torch and onnxruntime; "
        "keras or tensorflow: Keras's, for the backend of that name",
    )
    architecture: str = Field(
        "resnet152",
        description="a torchvision picture classifier, or efficientnet_lite0, whose weights need "
        "no download; with --framework keras or tensorflow one of Keras's applications",
    )
    weights: str = Field(
        DEFAULT_WEIGHTS,
        description="the name of published weights, such as IMAGENET1K_V2, or imagenet of Keras; "
        "default: the best that are published; seeded: untrained, for tests and measurements",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of --weights seeded")
    url: str = Field("", description="address of the weight file instead of the publisher's")
    sha256: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{64})?$")] = Field(
        "", description="SHA-256 of the file at --url, where it is not the published one"
    )
    onnx: bool = Field(True, description="also export the network for the onnxruntime backend")
    torch: bool = Field(True, description="keep the network for the torch backend")
    force: bool = Field(False, description="fetch again what is already there")
    progress: bool = Field(True, description="show a progress bar")

    @field_validator("url")
    @classmethod
    def _has_no_credentials(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise ValueError("is not a valid address") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold a user name or password")
        return url

    @field_validator("sha256")
    @classmethod
    def _is_of_a_file(cls, sha256: str, given: ValidationInfo) -> str:
        if sha256 and given.data.get("weights") == SEEDED_WEIGHTS:
            raise ValueError("seeded weights come from no file that could have one")
        if sha256 and given.data.get("framework") != "torch" and not given.data.get("url"):
            raise ValueError("needs --url: it is not compared with Keras's own files")
        return sha256

    @field_validator("torch")
    @classmethod
    def _is_for_some_backend(cls, torch: bool, given: ValidationInfo) -> bool:
        if not torch and not given.data.get("onnx", True):
            raise ValueError("leaves no backend, as the network is not exported either")
        return torch


class PackageSettings(BaseSettings):
    """What `package` makes a model folder of."""

    model_config = SettingsConfigDict(env_prefix="RESNET_", frozen=True, extra="forbid")

    network: Path = Field(
        description="a Keras file (.keras), a SavedModel (a folder), a file of torch.export "
        "(.pt2), TorchScript (.pt) or ONNX (.onnx)"
    )
    labels: Path = Field(description="a text file with one label a line, or a labels.json")
    preprocessing: Path = Field(
        description="a JSON file: resize, crop, interpolation, mean, standard_deviation, and where "
        "they differ from torchvision's fit, channels, layout, divisor"
    )
    model: Path = Field(description="model folder to write")
    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")] = Field(
        "", description="what the model is called; default: after its file"
    )
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = Field(
        "1", description="which version of it this is"
    )
    output: Literal["logits", "probabilities"] = Field(
        "logits", description="what the network gives; probabilities if it ends with a softmax"
    )


class ConvertSettings(BaseSettings):
    """What `convert` reads and writes."""

    model_config = SettingsConfigDict(env_prefix="RESNET_", frozen=True, extra="forbid")

    source: Path = Field(description="model folder that has an ONNX graph")
    model: Path = Field(description="model folder to write")
    framework: KerasFramework = Field(
        "keras", description="the backend that will run it, keras or tensorflow"
    )


class ResnetSettings(ServiceSettings):
    """What `serve` needs besides the settings that every service has."""

    model_config = SettingsConfigDict(env_prefix="RESNET_", frozen=True, extra="forbid")

    port: int = Field(8082, ge=1, le=65535, description="port of the API")
    metrics_port: int = Field(
        9082, ge=0, le=65535, description="port of GET /metrics on the same address; 0 for none"
    )
    max_body_bytes: int = Field(
        8 << 20, ge=1, le=1 << 30, description="largest request body, also once decompressed"
    )
    max_batch: int = Field(
        0,
        ge=0,
        le=4096,
        description="most pictures that the network takes at once; 0: 1 on a CPU, where a batch "
        "is no faster, and 32 on a GPU",
    )
    backend: BackendName = Field(
        "auto",
        description="what runs the network, of what the model folder has; auto: torch on a GPU, "
        "else onnxruntime",
    )
    device: DeviceName = Field("auto", description="where it runs; auto: a GPU if there is one")
    precision: Precision = Field(
        "auto",
        description="arithmetic of the network; auto: fp16 on a GPU that has tensor cores, "
        "else fp32",
    )
    spinning: bool = Field(
        False,
        description="let idle onnxruntime threads spin instead of sleep: no faster on idle CPUs, "
        "and half as long again on shared ones",
    )
    max_pixels: int = Field(
        25_000_000, ge=1, le=178_000_000, description="most pixels of a picture"
    )
    max_side: int = Field(
        16_384, ge=1, le=65_535, description="most pixels along one side of a picture"
    )

    @property
    def picture_limits(self) -> PictureLimits:
        """The largest picture that is decoded."""
        return PictureLimits(pixels=self.max_pixels, side=self.max_side)
