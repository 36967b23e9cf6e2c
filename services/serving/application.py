"""The Flask application of a scoring service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask_swagger_ui  # pyright: ignore[reportMissingTypeStubs] - only its folder is used
from flask import Flask, Response, g, request, send_from_directory
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from services.serving.api_keys import KeyRing
from services.serving.batching import Batcher
from services.serving.byte_budget import ByteBudget
from services.serving.command_line import CommandFailed
from services.serving.http.exchange import Site
from services.serving.http.wsgi import WsgiSite
from services.serving.lifecycle import Lifecycle
from services.serving.metrics import Metrics
from services.serving.model import Model
from services.serving.problem import Problem
from services.serving.protocols.routes import ProtocolRoutes
from services.serving.rate_limit import RateLimiter
from services.serving.refusal import Refusals
from services.serving.responses import (
    API_HEADERS,
    answer_exception,
    answer_http_exception,
    answer_problem,
    begin_request,
    finish_response,
    json_response,
    record_request,
)
from services.serving.scoring import Limits, Scoring
from services.serving.scoring_paths import ScoringPaths
from services.serving.scoring_site import ScoringSite
from services.serving.settings import ServiceSettings
from services.serving.versions import Versions, loaded

if TYPE_CHECKING:
    from services.serving.tracing import RequestTracer

STUCK_SECONDS = 60.0
"""A batch that is prepared and run for so long will never end; the process is better restarted."""

PAGES = Path(__file__).parent / "pages"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
DOCS_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


class _NameConverter(BaseConverter):
    """A part of a path such as ``<model_name>``, which ends before the verb of ``name:predict``."""

    regex = "[^/:]+"


class Service:
    """One model with everything around it.

    Attributes:
        site: what the server asks: scoring requests go straight to the batcher, all others to Flask.
        flask: the Flask application, complete by itself, for tests, extensions and WSGI servers.
        versions: the model, and the one before it.
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
            lambda items: self.versions.current.model.predict(items),
            max_batch=settings.max_batch,
            queue_limit=settings.queue_limit,
            patience_seconds=settings.deadline_ms / 1000,
            observe=self.metrics.count_batch,
        )
        self.metrics.follow_queue(lambda: self.batcher.depth)
        byte_budget = ByteBudget(settings.queue_bytes, lambda: self.batcher.expected_wait_seconds)
        self.metrics.follow_bytes(lambda: byte_budget.held)
        self._access_log = settings.access_log
        keys = KeyRing(settings.keys, model.scope)
        self._needs_key = not keys.is_open
        self.versions = Versions(loaded(model, needs_key=self._needs_key))
        self._scoring = Scoring(
            versions=self.versions,
            batcher=self.batcher,
            byte_budget=byte_budget,
            keys=keys,
            limiter=RateLimiter(settings.requests_per_second),
            limits=Limits(settings.max_body_bytes, settings.deadline_ms / 1000),
        )
        self.flask = self._flask(model.info.name)
        rules = list(self.versions.current.operations)
        self.metrics.expect_refusals(rules)
        site = ScoringSite(
            WsgiSite(self.flask.wsgi_app, threads=settings.request_threads),
            paths=ScoringPaths(rules),
            scoring=self._scoring,
            refusals=Refusals(rules, self.metrics.count_refusal),
            metrics=self.metrics,
            threads=settings.prepare_threads,
            most_prepared=2 * settings.max_batch + settings.prepare_threads,
            prepares_slowly=model.prepares_slowly,
            tracer=_tracer(model.scope) if settings.tracing else None,
            access_log=settings.access_log,
        )
        self.metrics.follow_requests(lambda: site.in_flight)
        self.site: Site = site
        self._make_way_for = site.make_way_for

    def replace_model(self, model: Model[Any, Any]) -> None:
        """Let a model of the same kind, loaded and warm, answer from now on."""
        # Before it can be asked for; and then for a site that began in between.
        self._make_way_for(model)
        self.versions.replace(loaded(model, needs_key=self._needs_key))
        self._make_way_for(model)

    def _flask(self, name: str) -> Flask:
        app = Flask(name, static_folder=None)
        app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        app.url_map.merge_slashes = False
        app.url_map.converters["default"] = _NameConverter
        app.before_request(begin_request)
        app.after_request(self._finish)
        app.register_error_handler(Problem, answer_problem)
        app.register_error_handler(HTTPException, answer_http_exception)
        app.register_error_handler(Exception, answer_exception)
        for rule, operation in self.versions.current.operations.items():
            self._route(app, rule, operation.operation_id)
        if self.versions.current.tensors is not None:
            ProtocolRoutes(self.versions, self._scoring.keys, self._is_alive, self._is_ready).add(
                app
            )
        app.add_url_rule("/livez", view_func=self._livez)
        app.add_url_rule("/readyz", view_func=self._readyz)
        app.add_url_rule(
            "/openapi.json",
            "openapi",
            lambda: Response(self.versions.current.document, mimetype="application/json"),
        )
        app.add_url_rule("/docs", "docs", _docs_page)
        app.add_url_rule("/docs/<path:name>", "docs_files", _docs_file)
        return app

    def _route(self, app: Flask, rule: str, endpoint: str) -> None:
        def view(**names: str) -> Response:
            scored = self._scoring.answer(rule, names, request)
            return Response(
                scored.body, content_type=scored.content_type, headers=list(scored.headers)
            )

        app.add_url_rule(rule, endpoint, view, methods=["POST"], strict_slashes=True)

    def _is_alive(self) -> bool:
        """Alive unless the batcher is gone or stuck. Never waits for the model."""
        return self.batcher.is_alive and self.batcher.busy_seconds() < STUCK_SECONDS

    def _is_ready(self) -> bool:
        return self.lifecycle.ready

    def _livez(self) -> Response:
        alive = self._is_alive()
        return json_response({"status": "alive" if alive else "stuck"}, 200 if alive else 503)

    def _readyz(self) -> Response:
        ready = self._is_ready()
        return json_response({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    def _finish(self, response: Response) -> Response:
        finish_response(response)
        for name, value in API_HEADERS:
            response.headers.setdefault(name, value)
        record_request(
            response, self.metrics, access_log=self._access_log, key=g.get("key_name", "")
        )
        return response


def _tracer(service: str) -> RequestTracer:
    try:
        from services.serving.tracing import new_tracer
    except ImportError as missing:
        raise CommandFailed(
            f"tracing needs the package {missing.name}; install "
            "services/serving/requirements-tracing.txt"
        ) from None
    return new_tracer(service)


def _docs_page() -> Response:
    return _with_docs_policy(send_from_directory(PAGES, "docs.html"))


def _docs_file(name: str) -> Response:
    folder = PAGES if name == "docs.js" else SWAGGER_UI
    return _with_docs_policy(send_from_directory(folder, name, max_age=3600))


def _with_docs_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response
