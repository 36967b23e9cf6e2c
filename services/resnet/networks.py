"""The networks that can be built by name. Needs torch."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
import torchvision

EFFICIENTNET_LITE0: Final = "efficientnet_lite0"

# Trained with inputs scaled to -1..1 inside the network; torchvision sets this only when it loads
# the weights itself.
_TRANSFORMS_INPUT: Final = frozenset({"googlenet", "inception_v3"})
_RESNET_MODULE: Final = "torchvision.models.resnet"
_OLD_DENSENET_KEY: Final = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
)


def architecture_names() -> list[str]:
    """Every name that `build_network` takes, sorted."""
    return sorted([*torchvision.models.list_models(module=torchvision.models), EFFICIENTNET_LITE0])


def build_network(architecture: str) -> torch.nn.Module:
    """Build an ImageNet-1K classifier with fresh parameters, in evaluation mode.

    It takes float32 [n, 3, h, w] and returns logits [n, 1000]. A residual network starts with each
    block as the identity: without that a deep one answers with one class at probability 1.

    Raises ValueError for a name that is not in `architecture_names()`.
    """
    if architecture == EFFICIENTNET_LITE0:
        return _efficientnet_lite0().eval()
    builder = torchvision.models.get_model_builder(architecture)
    return torchvision.models.get_model(
        architecture, weights=None, **_options(architecture, builder)
    ).eval()


def _options(architecture: str, builder: Callable[..., Any]) -> dict[str, bool]:
    if architecture in _TRANSFORMS_INPUT:
        return {"transform_input": True, "aux_logits": True, "init_weights": True}
    if builder.__module__ == _RESNET_MODULE:
        return {"zero_init_residual": True}
    return {}


def _efficientnet_lite0() -> torch.nn.Module:
    from efficientnet_lite_pytorch import EfficientNet  # only this architecture needs it

    return EfficientNet.from_name("efficientnet-lite0")


def load_state(network: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load published weights into `network`, under the names that torchvision gives them now.

    Raises ValueError, naming what is missing or left over, when the weights are of another network.
    """
    renamed = {_current_name(name): value for name, value in state.items()}
    metadata = getattr(state, "_metadata", None)
    if metadata is not None:
        renamed = _with_metadata(renamed, metadata)
    try:
        network.load_state_dict(renamed, strict=True)
    except RuntimeError:
        raise ValueError(_mismatch(network, renamed)) from None


def _current_name(name: str) -> str:
    old = _OLD_DENSENET_KEY.match(name)
    return old.group(1) + old.group(2) if old else name


def _with_metadata(state: Mapping[str, torch.Tensor], metadata: Any) -> dict[str, torch.Tensor]:
    versioned: OrderedDict[str, torch.Tensor] = OrderedDict(state)
    versioned._metadata = metadata  # type: ignore[attr-defined]
    return versioned


def _mismatch(network: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> str:
    expected = network.state_dict()
    missing = sorted(expected.keys() - state.keys())
    unknown = sorted(state.keys() - expected.keys())
    shaped = sorted(
        name for name in expected.keys() & state.keys() if expected[name].shape != state[name].shape
    )
    counts = f"{len(missing)} missing, {len(unknown)} unknown, {len(shaped)} of another shape"
    first = next(iter([*missing, *unknown, *shaped]), "")
    return f"the weights are of another network: {counts} (first: {first[:80]})"
