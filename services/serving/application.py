"""The Flask application of a scoring service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import flask_swagger_ui  # pyright: ignore[reportMissingTypeStubs] - only its folder is used
import orjson
from flask import Flask, Response, g, request, send_from_directory
from werkzeug.exceptions import HTTPException

from services.serving.api_keys import KeyRing
from services.serving.batching import Batcher
from services.serving.gate import Gate, closing_while_draining
from services.serving.lifecycle import Lifecycle
from services.serving.metrics import Metrics
from services.serving.model import Model, Operation
from services.serving.openapi import openapi_document
from services.serving.problem import Problem
from services.serving.rate_limit import RateLimiter
from services.serving.responses import (
    answer_exception,
    answer_http_exception,
    answer_problem,
    begin_request,
    finish_response,
    json_response,
    record_request,
)
from services.serving.scoring import Limits, Scoring
from services.serving.settings import ServiceSettings
from services.serving.slow_bodies import SlowBodies

STUCK_SECONDS = 60.0
"""A batch that runs for so long will never end; the process is better restarted."""

PAGES = Path(__file__).parent / "pages"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
DOCS_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Service:
    """One model with everything around it, as a WSGI application.

    Attributes:
        wsgi: what a WSGI server calls.
        flask: the Flask application inside, for tests and extensions.
    """

    def __init__(
        self,
        model: Model[Any, Any],
        settings: ServiceSettings,
        *,
        lifecycle: Lifecycle | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.lifecycle = lifecycle or Lifecycle()
        self.batcher: Batcher[Any, Any] = Batcher(
            model.predict,
            max_batch=settings.max_batch,
            queue_limit=settings.queue_limit,
            patience_seconds=settings.deadline_ms / 1000,
            observe=self.metrics.observe_batch,
        )
        self.metrics.follow_queue(lambda: self.batcher.depth)
        self._access_log = settings.access_log
        slow_bodies = SlowBodies(settings.port, settings.body_seconds, settings.deadline_ms / 1000)
        self._scoring = Scoring(
            model=model,
            batcher=self.batcher,
            keys=KeyRing(settings.keys, model.scope),
            limiter=RateLimiter(settings.requests_per_second),
            limits=Limits(settings.max_body_bytes, settings.deadline_ms / 1000),
            slow_bodies=slow_bodies,
            metrics=self.metrics,
        )
        self.flask = self._flask(model)
        paths = [operation.path for operation in model.operations()]
        gate = Gate(
            self.flask.wsgi_app,
            paths=paths,
            batcher=self.batcher,
            places=settings.scoring_threads,
            slow_bodies=slow_bodies,
            on_refusal=self._refusal_counter(paths),
        )
        self.wsgi: WSGIApplication = closing_while_draining(gate, self.lifecycle)

    def _flask(self, model: Model[Any, Any]) -> Flask:
        app = Flask(model.info.name, static_folder=None)
        app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        app.url_map.merge_slashes = False
        app.before_request(begin_request)
        app.after_request(self._finish)
        app.register_error_handler(Problem, answer_problem)
        app.register_error_handler(HTTPException, answer_http_exception)
        app.register_error_handler(Exception, answer_exception)
        for operation in model.operations():
            self._route(app, operation)
        document = orjson.dumps(openapi_document(model, needs_key=not self._scoring.keys.is_open))
        app.add_url_rule("/livez", view_func=self._livez)
        app.add_url_rule("/readyz", view_func=self._readyz)
        app.add_url_rule(
            "/openapi.json",
            "openapi",
            lambda: Response(document, mimetype="application/json"),
        )
        app.add_url_rule("/docs", "docs", _docs_page)
        app.add_url_rule("/docs/<path:name>", "docs_files", _docs_file)
        return app

    def _route(self, app: Flask, operation: Operation[Any, Any]) -> None:
        def view() -> Response:
            scored = self._scoring.answer(operation, request)
            g.key_name = scored.key.name
            g.received_bytes = scored.received_bytes
            return scored.response

        app.add_url_rule(
            operation.path, operation.operation_id, view, methods=["POST"], strict_slashes=True
        )

    def _livez(self) -> Response:
        """Alive unless the batcher is gone or stuck. Never waits for the model."""
        alive = self.batcher.is_alive and self.batcher.busy_seconds() < STUCK_SECONDS
        return json_response({"status": "alive" if alive else "stuck"}, 200 if alive else 503)

    def _readyz(self) -> Response:
        ready = self.lifecycle.ready
        return json_response({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    def _refusal_counter(self, paths: Sequence[str]) -> Callable[[str], None]:
        rejected = self.metrics.rejected.labels("capacity")
        refused = {path: self.metrics.requests.labels(path, "503") for path in paths}

        def count(path: str) -> None:
            refused[path].inc()
            rejected.inc()

        return count

    def _finish(self, response: Response) -> Response:
        finish_response(response)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Content-Security-Policy", API_POLICY)
        record_request(
            response, self.metrics, access_log=self._access_log, key=g.get("key_name", "")
        )
        return response


def _docs_page() -> Response:
    return _with_docs_policy(send_from_directory(PAGES, "docs.html"))


def _docs_file(name: str) -> Response:
    folder = PAGES if name == "docs.js" else SWAGGER_UI
    return _with_docs_policy(send_from_directory(folder, name, max_age=3600))


def _with_docs_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response
