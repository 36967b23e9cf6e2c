"""Several pictures in one request are prepared by a thread, however small they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from services.resnet.labels import Label
from services.resnet.predecessor_score import score_operation
from services.resnet.preprocessing import Tensor as Pixels
from services.resnet.tensors import PICTURE, resnet_tensors
from services.resnet.transform import Transform
from services.serving.brevity import TakesLong
from services.serving.model import Incoming
from services.serving.protocols.signature import Tensor
from tests.event_loop import on_an_event_loop

PIXELS: Pixels = np.zeros((3, 224, 224), dtype=np.float32)
Prepare = Callable[[int], Sequence[Pixels]]


def made(_: bytes) -> Pixels:
    return PIXELS


@pytest.fixture(params=["tensors", "predecessor"])
def prepare(request: pytest.FixtureRequest, resnet152_transform: Transform) -> Prepare:
    """Makes items of so many pictures, as one of the paths does."""
    labels: Sequence[Label] = ()

    def tensors(count: int) -> Sequence[Pixels]:
        values = np.array([[b"picture"]] * count, dtype=object)
        interface = resnet_tensors(made, resnet152_transform, labels)
        return interface.prepare(Tensor(PICTURE.name, values))

    def predecessor(count: int) -> Sequence[Pixels]:
        text = base64.b64encode(b"picture").decode()
        body = json.dumps({"input": {str(number): text for number in range(count)}}).encode()
        incoming = Incoming("application/json", {}, body, None, {}, "id")
        return score_operation(made, labels).prepare(incoming).items

    return tensors if request.param == "tensors" else predecessor


def test_one_may_be_prepared_on_an_event_loop_and_several_by_a_thread(prepare: Prepare) -> None:
    assert len(on_an_event_loop(prepare, 1)) == 1
    with pytest.raises(TakesLong):
        on_an_event_loop(prepare, 2)
    assert len(prepare(2)) == 2
