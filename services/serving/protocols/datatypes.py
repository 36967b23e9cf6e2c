"""The tensor datatypes of the Open Inference Protocol, and what each is in NumPy.

Binary tensors are little-endian (Triton's binary tensor data extension).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

BYTES: Final = "BYTES"
"""Elements of any length; in NumPy an array of objects, each ``bytes``."""

NUMPY_TYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    BYTES: np.dtype(object),
}

CONFIGURATION_TYPES: Final[Mapping[str, str]] = {
    **{name: f"TYPE_{name}" for name in NUMPY_TYPES},
    BYTES: "TYPE_STRING",
}
"""Their names in a model configuration (Triton's ``model_config.proto``)."""
