"""Networks that are described by their file: of `torch.export`, or TorchScript."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import torch

from services.resnet.backends.backend import BackendUnavailable, first_line

_LARGEST_CONFIG: Final = 64 << 20


def read_program(path: Path) -> Any:
    """Load a file of `torch.export.save` (.pt2) that holds no pickled object.

    Raises BackendUnavailable when it does, or is no such file.
    """
    _refuse_pickle(path)
    try:
        return torch.export.load(path).module()
    except Exception as error:  # noqa: BLE001  # the loader raises many types
        raise BackendUnavailable(f"{path}: cannot be loaded ({first_line(error)})") from None


def read_script(path: Path) -> Any:
    """Load a TorchScript file; its code runs in TorchScript's interpreter, which is not Python's.

    Raises BackendUnavailable when it is no such file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(path, map_location="cpu").eval()
    except Exception as error:  # noqa: BLE001  # the loader raises many types
        raise BackendUnavailable(f"{path}: cannot be loaded ({first_line(error)})") from None


def _refuse_pickle(path: Path) -> None:
    """Refuse what `torch.export.load` would unpickle.

    Its archive (`torch/export/pt2_archive`) holds tensors as bytes, and objects that are not plain
    tensors pickled: each entry of the configurations of weights and constants says which. The
    sample inputs are read by torch in any case, and so must be such that its restricted reader
    (`weights_only`) takes them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            configs = [name for name in names if name.endswith("_config.json")]
            samples = [name for name in names if "/data/sample_inputs/" in name]
            if not configs or not samples:
                raise BackendUnavailable(f"{path}: is not a file of torch.export (.pt2)")
            for name in configs:
                _refuse_pickled_entries(path, archive, name)
            for name in samples:
                torch.load(io.BytesIO(archive.read(name)), weights_only=True)
    except BackendUnavailable:
        raise
    except (zipfile.BadZipFile, OSError):
        raise BackendUnavailable(f"{path}: is not a file of torch.export (.pt2)") from None
    except Exception:  # noqa: BLE001  # whatever the restricted reader does not take
        raise _pickled(path) from None


def _refuse_pickled_entries(path: Path, archive: zipfile.ZipFile, name: str) -> None:
    if archive.getinfo(name).file_size > _LARGEST_CONFIG:
        raise BackendUnavailable(f"{path}: its {name.rsplit('/', 1)[-1]} is too large")
    entries: dict[str, dict[str, Any]] = json.loads(archive.read(name))["config"]
    for entry in entries.values():
        if entry["use_pickle"] or not entry["path_name"].startswith(("weight_", "tensor_")):
            raise _pickled(path)


def _pickled(path: Path) -> BackendUnavailable:
    return BackendUnavailable(
        f"{path}: holds pickled objects, which can run code, and is not loaded; export a network "
        "of plain tensors"
    )
