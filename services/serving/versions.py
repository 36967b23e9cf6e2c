"""Which versions of the model are loaded: the one that answers, and the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.serving.model import Model, Operation
from services.serving.openapi import openapi_document
from services.serving.problem import Problem
from services.serving.protocols.kserve_v1 import predict_operations
from services.serving.protocols.open_inference import infer_operations
from services.serving.protocols.signature import TensorInterface

LATEST = "latest"
"""Another name of the version that answers where none is asked for."""


@dataclass(frozen=True)
class LoadedModel:
    """A model with all its operations, those of the standard protocols among them.

    Attributes:
        operations: by path.
        tensors: what the standard protocols are made from; None for a model without them.
        document: the OpenAPI document of the service while this model answers, as JSON.
    """

    model: Model[Any, Any]
    operations: Mapping[str, Operation[Any, Any]]
    tensors: TensorInterface[Any, Any] | None
    document: bytes

    @property
    def names(self) -> tuple[str, ...]:
        """The model's own name, and the service's, which stays where models come and go."""
        return tuple(dict.fromkeys((self.model.info.name, self.model.scope)))

    @property
    def version(self) -> str:
        """The model's version."""
        return self.model.info.version


def loaded(model: Model[Any, Any], *, needs_key: bool) -> LoadedModel:
    """``model`` with its operations."""
    operations = list(model.operations())
    tensors = model.tensors()
    if tensors is not None:
        operations += [*infer_operations(model.info, tensors), *predict_operations(tensors)]
    document = openapi_document(model, operations, needs_key=needs_key)
    return LoadedModel(
        model, {each.path: each for each in operations}, tensors, orjson.dumps(document)
    )


class Versions:
    """The model that answers, and for a while the one that did before.

    Requests read it without a lock: both are replaced in one assignment.
    """

    def __init__(self, first: LoadedModel) -> None:
        self._present: tuple[LoadedModel, ...] = (first,)

    @property
    def present(self) -> Sequence[LoadedModel]:
        """All that can be asked for, the present one first."""
        return self._present

    @property
    def current(self) -> LoadedModel:
        """The one that answers where no version is asked for."""
        return self._present[0]

    def replace(self, new: LoadedModel) -> None:
        """Let ``new`` answer from now on; the present one can be asked for by its version.

        Another model may be called what this one is: publishers name weights, not networks.
        """
        old = self.current
        is_the_same = (old.model.info.name, old.version) == (new.model.info.name, new.version)
        self._present = (new,) if is_the_same else (new, old)

    def forget_previous(self) -> bool:
        """Let go of the one before; requests that are under way keep it until they are answered."""
        had_previous = len(self._present) > 1
        self._present = self._present[:1]
        return had_previous

    def of(self, name: str) -> Sequence[LoadedModel]:
        """All versions of the model called ``name``, the present one first.

        Raises:
            Problem: 404 if there are none.
        """
        found = [each for each in self._present if name in each.names]
        if not found:
            raise Problem(404, "There is no such model.")
        return found

    def find(self, name: str, version: str = LATEST) -> LoadedModel:
        """One version of the model called ``name``.

        Raises:
            Problem: 404 if there is none.
        """
        for each in self.of(name):
            if version in (LATEST, each.version):
                return each
        raise Problem(404, "There is no such version of the model.")
