"""A batch that does not fit is run in halves, once."""

from __future__ import annotations

import numpy as np
import pytest

from services.resnet.backends.memory import run_within_memory
from services.serving.problem import Problem


class NoMemoryError(RuntimeError):
    """What the device of these tests raises."""


class Device:
    """Doubles what it is given, and holds at most `capacity` items at a time."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.sizes: list[int] = []
        self.released = 0

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.sizes.append(len(batch))
        if len(batch) > self.capacity:
            raise NoMemoryError
        return batch * 2

    def release(self) -> None:
        self.released += 1


def run(device: Device, count: int) -> np.ndarray:
    batch = np.arange(count, dtype=np.float32).reshape(count, 1)
    return run_within_memory(device.run, batch, out_of_memory=NoMemoryError, release=device.release)


def test_a_batch_that_fits_is_run_once() -> None:
    device = Device(capacity=8)
    assert run(device, 8).ravel().tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert (device.sizes, device.released) == ([8], 0)


@pytest.mark.parametrize(("count", "sizes"), [(8, [8, 4, 4]), (7, [7, 3, 4]), (2, [2, 1, 1])])
def test_one_that_does_not_fit_is_run_in_halves_in_the_same_order(
    count: int, sizes: list[int]
) -> None:
    device = Device(capacity=count - 1)
    assert run(device, count).ravel().tolist() == [2.0 * index for index in range(count)]
    assert (device.sizes, device.released) == (sizes, 1)


@pytest.mark.parametrize("count", [1, 8])
def test_one_whose_halves_do_not_fit_either_is_refused_for_now(count: int) -> None:
    device = Device(capacity=0)
    with pytest.raises(Problem) as raised:
        run(device, count)
    assert raised.value.status == 503
    assert int(raised.value.headers["Retry-After"]) >= 1
    assert device.released == 2


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def broken(batch: np.ndarray) -> np.ndarray:
        raise ValueError("shape")

    with pytest.raises(ValueError, match="shape"):
        run_within_memory(
            broken, np.zeros((4, 1), np.float32), out_of_memory=NoMemoryError, release=print
        )
