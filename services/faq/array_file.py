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
    """Write as `np.save` does an array of numbers in C order, of one dimension or more."""
    whole = np.ascontiguousarray(array)
    header = np.lib.format.header_data_from_array_1_0(whole)
    with _written_to(path), path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(_bytes(whole))


def temporary_file() -> IO[bytes]:
    """Return a file without a name, for :func:`spill`.

    Without a buffer, which would be written once more, and fail once more, when it is closed.
    """
    return tempfile.TemporaryFile(buffering=0)


def spill(array: NDArray[Any], file: IO[bytes]) -> None:
    """Put the values of an array to the end of such a file."""
    left = _bytes(np.ascontiguousarray(array))
    with _written_to(tempfile.gettempdir()):
        while left:
            left = left[file.write(left) :]


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


@contextmanager
def _written_to(place: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None
