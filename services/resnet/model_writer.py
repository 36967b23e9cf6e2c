"""Writing the model folder of a network. Needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import safetensors.torch
import torch
import torchvision
from safetensors import SafetensorError

from services.resnet.backends.backend import first_line
from services.resnet.classifier_folder import (
    GOLDEN_FILE,
    KIND,
    LABELS_FILE,
    TRANSFORM_FILE,
)
from services.resnet.export import OPSET, ExportRefused, export_onnx, torch_logits
from services.resnet.fetched_file import remove_download
from services.resnet.golden import GOLDEN_SEED, Golden, golden_answer, golden_batch, write_golden
from services.resnet.imagenet import NotImageNet, imagenet_labels
from services.resnet.labels import write_labels
from services.resnet.network_files import ONNX_FILE, STATE_FILE
from services.resnet.networks import build_network
from services.resnet.settings import SEEDED_WEIGHTS, FetchSettings
from services.resnet.transform import write_transform
from services.resnet.weight_files import load_weight_file, weight_file
from services.resnet.weights import UnknownName, Weights, resolve_weights
from services.serving.command_line import CommandFailed
from services.serving.cpu import available_cpus
from services.serving.download import without_secrets
from services.serving.model_folder import ModelFolderError, file_sha256, new_model_folder

_READABLE_BY_ALL: Final = 0o644


def write_model(settings: FetchSettings, requested: dict[str, Any]) -> None:
    """Write the model folder; `requested` goes into its manifest.

    Raises CommandFailed with one line, and leaves what was there before, when it cannot be written
    whole.
    """
    torch.set_num_threads(available_cpus())
    try:
        weights = resolve_weights(settings.architecture, settings.weights)
        source = weight_file(settings, weights)
        network = _network(settings, source)
        version = _version(settings, weights, source)
        with new_model_folder(
            settings.model, kind=KIND, name=settings.architecture, version=version
        ) as draft:
            draft.details |= {"requested": requested}
            draft.details |= _provenance(settings, weights, source, network)
            draft.details |= _write_files(draft.folder, settings, weights, network)
    except NotImageNet:
        raise CommandFailed("the classes of these weights are not those of ImageNet-1K") from None
    except ExportRefused as error:
        raise CommandFailed(f"{error}; --no-onnx writes it for backend torch alone") from None
    except (UnknownName, ModelFolderError) as error:
        raise CommandFailed(str(error)) from None
    remove_download(settings)


def _network(settings: FetchSettings, source: Path | None) -> torch.nn.Module:
    torch.manual_seed(settings.seed)
    network = build_network(settings.architecture)
    if source is not None:
        load_weight_file(network, source)
    return network


def _version(settings: FetchSettings, weights: Weights, source: Path | None) -> str:
    if source is None:
        return f"{SEEDED_WEIGHTS}-{settings.seed}"
    return f"custom-{settings.sha256[:8].lower()}" if settings.sha256 else weights.name


def _provenance(
    settings: FetchSettings, weights: Weights, source: Path | None, network: torch.nn.Module
) -> dict[str, Any]:
    address = settings.url or weights.url
    return {
        "architecture": settings.architecture,
        "weights": weights.name,
        "source": without_secrets(address) if source and address else "",
        "source_file": source.name if source else "",
        "source_sha256": file_sha256(source) if source else "",
        "imagenet_accuracy_percent": None if settings.sha256 else weights.accuracy,
        "parameters": sum(value.numel() for value in network.parameters()),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def _write_files(
    folder: Path, settings: FetchSettings, weights: Weights, network: torch.nn.Module
) -> dict[str, Any]:
    crop = weights.transform.crop
    if settings.torch:
        _write_state(network, folder / STATE_FILE)
    write_transform(weights.transform, folder / TRANSFORM_FILE)
    write_labels(imagenet_labels(weights.labels), folder / LABELS_FILE)
    golden = _golden(network, crop)
    write_golden(golden, folder / GOLDEN_FILE)
    facts: dict[str, Any] = {"golden_top_classes": golden.top_classes.tolist()}
    if settings.onnx:
        parity = export_onnx(network, folder / ONNX_FILE, crop=crop, seed=GOLDEN_SEED)
        facts |= {"onnx_opset": OPSET, "onnx_parity": parity}
    for file in folder.iterdir():
        # safetensors writes for its owner alone, but a container runs as another user.
        file.chmod(_READABLE_BY_ALL)
    return facts


def _write_state(network: torch.nn.Module, path: Path) -> None:
    try:
        safetensors.torch.save_model(network, str(path))
    except SafetensorError as error:
        # A full disk is no OSError of it.
        raise CommandFailed(f"{path.name}: cannot be written ({first_line(error)})") from None


def _golden(network: torch.nn.Module, crop: int) -> Golden:
    batch = golden_batch((3, crop, crop), GOLDEN_SEED)
    return golden_answer(batch, torch_logits(network, batch))
