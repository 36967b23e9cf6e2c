"""The GET paths of the standard protocols: health, metadata, configuration.

Health needs no key, as probes need none; whatever describes a model needs the key that scoring
needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request
from pydantic import BaseModel

from services.serving.api_keys import KeyRing
from services.serving.problem import Problem
from services.serving.protocols.described_paths import PATHS
from services.serving.protocols.metadata import (
    Alive,
    Liveness,
    ModelList,
    ModelReadiness,
    Readiness,
    ServerMetadata,
    model_configuration,
    model_metadata,
)
from services.serving.protocols.signature import TensorInterface
from services.serving.responses import json_response
from services.serving.versions import LATEST, LoadedModel, Versions

View = Callable[..., Response]


class ProtocolRoutes:
    """Answers for one service.

    Args:
        versions: the models.
        keys: who may see what describes them.
        is_alive: whether the process works.
        is_ready: whether requests should be sent.
    """

    def __init__(
        self,
        versions: Versions,
        keys: KeyRing,
        is_alive: Callable[[], bool],
        is_ready: Callable[[], bool],
    ) -> None:
        self._versions = versions
        self._keys = keys
        self._is_alive = is_alive
        self._is_ready = is_ready

    def add(self, app: Flask) -> None:
        """Add the paths to ``app``."""
        views: Mapping[str, View] = {
            "alive": self._server_alive,
            "server_metadata": self._server,
            "server_metadata_slash": self._server,
            "server_live": self._live,
            "server_ready": self._ready,
            "model_metadata": self._metadata,
            "version_metadata": self._metadata,
            "model_ready": self._model_ready,
            "version_ready": self._model_ready,
            "model_config": self._configuration,
            "version_config": self._configuration,
            "models": self._models,
            "v1_model_ready": self._model_ready,
        }
        for each in PATHS:
            view = views[each.operation_id]
            app.add_url_rule(
                each.path,
                each.operation_id,
                self._with_key(view) if each.needs_key else view,
                strict_slashes=True,
            )

    def _with_key(self, view: View) -> View:
        def guarded(**names: str) -> Response:
            self._keys.authenticate(request.headers)
            return view(**names)

        return guarded

    def _server_alive(self) -> Response:
        return _answer(Alive()) if self._is_alive() else _unavailable("The service is stuck.")

    def _live(self) -> Response:
        alive = self._is_alive()
        return _answer(Liveness(live=alive), 200 if alive else 503)

    def _ready(self) -> Response:
        ready = self._is_ready()
        return _answer(Readiness(ready=ready), 200 if ready else 503)

    def _model_ready(self, model_name: str, model_version: str = LATEST) -> Response:
        found = self._versions.find(model_name, model_version)
        ready = self._is_ready()
        return _answer(
            ModelReadiness(name=found.model.info.name, ready=ready), 200 if ready else 503
        )

    def _server(self) -> Response:
        return _answer(ServerMetadata())

    def _metadata(self, model_name: str, model_version: str = LATEST) -> Response:
        found = self._versions.find(model_name, model_version)
        versions = list(dict.fromkeys(each.version for each in self._versions.of(model_name)))
        return _answer(model_metadata(found.model.info, _tensors(found), versions))

    def _configuration(self, model_name: str, model_version: str = LATEST) -> Response:
        found = self._versions.find(model_name, model_version)
        return _answer(model_configuration(found.model.info, _tensors(found)))

    def _models(self) -> Response:
        return _answer(ModelList(models=[self._versions.current.model.info.name]))


def _tensors(found: LoadedModel) -> TensorInterface[Any, Any]:
    if found.tensors is None:
        raise Problem(404, "There is no such model.")
    return found.tensors


def _answer(content: BaseModel, status: int = 200) -> Response:
    return json_response(content.model_dump(), status)


def _unavailable(detail: str) -> Response:
    raise Problem(503, detail)
