"""Arrays in files. On a full disk NumPy's own writing says neither the reason nor the place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write the same bytes as `np.save`."""
    whole = np.ascontiguousarray(array)
    header = np.lib.format.header_data_from_array_1_0(whole)
    with _written_to(path), path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(_bytes(whole))


def spill(array: NDArray[Any], file: IO[bytes]) -> None:
    """Put the values of an array to the end of a file of `tempfile`."""
    with _written_to(tempfile.gettempdir()):
        file.write(_bytes(np.ascontiguousarray(array)))
        file.flush()


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


@contextmanager
def _written_to(place: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None
