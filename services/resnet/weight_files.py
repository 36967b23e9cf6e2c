"""The file of weights: found, downloaded, checked by its hash and read. Needs torch."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from services.resnet.fetched_file import fetched_file
from services.resnet.networks import load_state
from services.resnet.settings import SEEDED_WEIGHTS, FetchSettings
from services.resnet.weights import Weights
from services.serving.command_line import CommandFailed
from services.serving.model_folder import file_sha256


def weight_file(settings: FetchSettings, weights: Weights) -> Path | None:
    """Return a file of weights whose hash was checked; None for seeded weights.

    It is downloaded if it is not in an installed package or there already.
    Raises CommandFailed when it cannot be fetched or has another hash.
    """
    if weights.name == SEEDED_WEIGHTS:
        return None
    if weights.packaged is not None and not settings.url:
        actual = file_sha256(weights.packaged)
        if not actual.startswith(weights.sha256_prefix):
            raise CommandFailed(
                f"{weights.packaged.name}: differs from its SHA-256; reinstall its package"
            )
        if settings.sha256 and actual != settings.sha256.lower():
            raise CommandFailed(f"{weights.packaged.name}: has SHA-256 {actual}, not --sha256")
        return weights.packaged
    if not (settings.sha256 or weights.sha256_prefix):
        raise CommandFailed(
            f"{weights.file_name}: its name holds no hash; give its SHA-256 by --sha256"
        )
    return fetched_file(
        settings, weights.url, weights.file_name or "weights.pth", weights.sha256_prefix
    )


def load_weight_file(network: torch.nn.Module, source: Path) -> None:
    """Load a file of torch weights into `network`; nothing in it is executed (`weights_only`).

    Raises CommandFailed when it is no such file, or is of another network.
    """
    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError):
        raise CommandFailed(f"{source.name}: is not a file of torch weights") from None
    if not isinstance(state, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise CommandFailed(f"{source.name}: does not hold the weights of a network alone")
    try:
        load_state(network, state)
    except ValueError as error:
        raise CommandFailed(f"{source.name}: {error}") from None
