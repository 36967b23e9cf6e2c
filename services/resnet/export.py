"""From a torch network to an ONNX graph that gives the same answers. Needs torch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch

from services.resnet.golden import golden_batch, relative_difference
from services.resnet.preprocessing import Tensor

OPSET: Final = 20
INPUT: Final = "pictures"
OUTPUT: Final = "logits"
PARITY: Final = 1e-4

# A protocol buffer holds at most 2 GiB: past this the parameters go to a file beside the graph.
_LARGEST_SINGLE_FILE: Final = 1_800_000_000
_PARITY_BATCH: Final = 3


class ExportRefused(Exception):
    """The network cannot be exported, or its export answers differently; one line."""


def torch_logits(network: torch.nn.Module, batch: Tensor) -> Tensor:
    """Run `network` on float32 [n, 3, h, w] and return its logits, float32 [n, classes]."""
    with torch.inference_mode():
        return network(torch.from_numpy(batch)).numpy()


def export_onnx(network: torch.nn.Module, path: Path, *, crop: int, seed: int) -> float:
    """Write `network` to `path` as ONNX with an open batch axis and return the parity found.

    Parity is the largest difference of the logits of a seeded batch of 1 and of 3 between torch and
    onnxruntime, relative to the largest logit. Raises ExportRefused when it is not under 1e-4, or
    when the network cannot be exported, and OSError when the file cannot be written.
    """
    try:
        _export(network, path, crop)
    except Exception as error:  # the exporter raises many types; each means the same here
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a full disk is no fault of the network
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
        raise ExportRefused(f"this network cannot be exported to ONNX ({reason})") from error
    _forget_sources(path)
    parity = _parity(network, path, crop, seed)
    if not parity < PARITY:
        raise ExportRefused(
            f"the ONNX graph differs from torch by {parity:.1e}, more than {PARITY:.0e}"
        )
    return parity


def _export(network: torch.nn.Module, path: Path, crop: int) -> None:
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            network,
            (
                torch.from_numpy(golden_batch((3, crop, crop), 0))
                .expand(2, -1, -1, -1)
                .contiguous(),
            ),
            path,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=size > _LARGEST_SINGLE_FILE,
            verbose=False,
        )


def _forget_sources(path: Path) -> None:
    """Remove the exporter's notes of source files and lines: they are of the machine it ran on."""
    model = onnx.load(path, load_external_data=False)
    for described in (model.graph, *model.graph.node, *model.graph.value_info):
        del described.metadata_props[:]
        described.doc_string = ""
    onnx.save(model, path)


def _parity(network: torch.nn.Module, path: Path, crop: int, seed: int) -> float:
    session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    one = golden_batch((3, crop, crop), seed)
    several = torch.from_numpy(one).repeat(_PARITY_BATCH, 1, 1, 1).numpy()
    several[1] *= 0.5
    several[2] += 0.25
    return max(
        relative_difference(
            np.asarray(session.run([OUTPUT], {INPUT: batch})[0]), torch_logits(network, batch)
        )
        for batch in (one, several)
    )
