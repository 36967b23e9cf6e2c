"""The Flask application behind the page."""

from __future__ import annotations

import logging
import re
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
from flask import Flask, Response, g, request, send_from_directory
from pydantic import BaseModel, StringConstraints
from werkzeug.exceptions import HTTPException

from services.serving.body import media_type, read_body
from services.serving.byte_budget import ByteBudget
from services.serving.command_line import CommandFailed
from services.serving.http.exchange import Site
from services.serving.http.wsgi import WsgiSite
from services.serving.lifecycle import Lifecycle
from services.serving.metrics_server import serve_metrics
from services.serving.model import JSON_TYPE, parse_json, validate
from services.serving.problem import Problem
from services.serving.request_id import WELL_FORMED
from services.serving.responses import (
    answer_exception,
    answer_http_exception,
    answer_problem,
    begin_request,
    finish_response,
    json_response,
    record_request,
)
from services.serving.server import require_free_port
from services.web.answers import parse_matches, parse_predictions
from services.web.examples import load_examples
from services.web.key_file import KeyFile, KeyUnreadable
from services.web.metrics import WebMetrics
from services.web.same_origin import refuse_other_origins
from services.web.security_headers import SECURITY_HEADERS
from services.web.settings import WebSettings
from services.web.sign_in.gatekeeper import Gatekeeper, describe_nobody
from services.web.upstream import Reply, ScoringService

log = logging.getLogger("access")

STATIC = Path(__file__).parent / "static"
MATCHES_SHOWN = 5
MOST_HELD_BYTES = 64 << 20
"""Of all bodies at once, whatever one may have: a pod has 256 MiB where nobody says otherwise, and
a body takes twice its size while its pieces are put together. One that is alone is always let in.
"""
SMALL_BYTES = 16 << 10
"""Of a body that is always let in, as most questions are: pictures must not keep them out."""
MOST_QUESTION_CHARACTERS = 20_000
MOST_QUESTION_BYTES = 128 << 10


class Question(BaseModel):
    """What the page sends to ``/api/ask``."""

    question: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_QUESTION_CHARACTERS),
    ]


class ClientApplication:
    """The page, and the two paths through which it calls the services.

    Attributes:
        site: what the server asks.
        flask: the Flask application inside.
        metrics: what it counts.
    """

    def __init__(self, settings: WebSettings, *, lifecycle: Lifecycle, metrics: WebMetrics) -> None:
        self.metrics = metrics
        self._settings = settings
        self._lifecycle = lifecycle
        self._faq = self._service(
            "faq", "question service", settings.faq_url, settings.faq_key_file
        )
        self._resnet = self._service(
            "resnet", "picture service", settings.resnet_url, settings.resnet_key_file
        )
        self._gatekeeper = Gatekeeper(settings, metrics) if settings.signs_in else None
        self.flask = self._flask()
        self.site = WsgiSite(
            self.flask.wsgi_app,
            threads=settings.request_threads,
            most_bytes=max(settings.max_picture_bytes, MOST_QUESTION_BYTES),
            byte_budget=ByteBudget(MOST_HELD_BYTES),
            uncounted_bytes=SMALL_BYTES,
        )

    def _service(self, label: str, name: str, url: str, key_file: Path | None) -> ScoringService:
        def observe(outcome: str, seconds: float) -> None:
            self.metrics.upstream_seconds.labels(label, outcome).observe(seconds)

        return ScoringService(
            name,
            url,
            key_file=_readable(key_file),
            timeout_seconds=self._settings.upstream_seconds,
            observe=observe,
        )

    def _flask(self) -> Flask:
        app = Flask("web", static_folder=None)
        app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        app.url_map.merge_slashes = False
        app.before_request(_begin)
        if self._gatekeeper is None:
            app.add_url_rule("/api/session", "session", describe_nobody)
        else:
            app.before_request(self._gatekeeper.admit)
            self._gatekeeper.add_paths(app)
        app.after_request(self._finish)
        app.register_error_handler(Problem, answer_problem)
        app.register_error_handler(HTTPException, answer_http_exception)
        app.register_error_handler(Exception, answer_exception)
        examples = {
            **load_examples().model_dump(),
            "most_question_characters": MOST_QUESTION_CHARACTERS,
            "most_picture_bytes": self._settings.max_picture_bytes,
        }
        static = partial(send_from_directory, STATIC)
        app.add_url_rule("/", "page", self._page)
        app.add_url_rule("/static/<path:name>", "static", lambda name: static(name))
        app.add_url_rule("/api/examples", "examples", lambda: json_response(examples))
        app.add_url_rule("/api/ask", "ask", self._ask, methods=["POST"])
        app.add_url_rule("/api/classify", "classify", self._classify, methods=["POST"])
        app.add_url_rule("/livez", "livez", lambda: json_response({"status": "alive"}))
        app.add_url_rule("/readyz", "readyz", self._readyz)
        return app

    def _page(self) -> Response:
        response = send_from_directory(STATIC, "index.html")
        if self._gatekeeper is not None:
            # Or Back would bring it out of the browser's cache after somebody has signed out.
            response.headers["Cache-Control"] = "no-store"
        return response

    def _ask(self) -> Response:
        """The known questions that match the one in the body."""
        if media_type(request.headers.get("Content-Type", ""))[0] != JSON_TYPE:
            raise Problem(415, f"The body must be {JSON_TYPE}.")
        asked = validate(Question, parse_json(self._body(MOST_QUESTION_BYTES)))
        body = orjson.dumps(
            {"question": asked.question, "top_k": MATCHES_SHOWN, "include_answers": True}
        )
        reply = self._faq.post("/v1/match", body, JSON_TYPE, g.request_id)
        _adopt_request_id(reply)
        return json_response(parse_matches(reply.content).model_dump())

    def _classify(self) -> Response:
        """The classes of the picture that is the body."""
        content_type = media_type(request.headers.get("Content-Type", ""))[0]
        if not re.fullmatch(r"image/[a-z0-9.+-]{1,64}", content_type):
            raise Problem(415, "This is not a picture.")
        picture = self._body(self._settings.max_picture_bytes)
        reply = self._resnet.post("/v1/classify?top_k=5", picture, content_type, g.request_id)
        _adopt_request_id(reply)
        return json_response(parse_predictions(reply.content).model_dump())

    def _body(self, limit: int) -> bytes:
        if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            # What is inside would take memory that nobody has counted, and no browser sends it.
            raise Problem(415, "The body must not be compressed.")
        body = read_body(
            request.environ["wsgi.input"],
            declared=request.headers.get("Content-Length"),
            coding="",
            limit=limit,
        )
        g.received_bytes = len(body)
        return body

    def _readyz(self) -> Response:
        # The services' readiness is not asked: the page says itself which of them is missing.
        ready = self._lifecycle.ready
        return json_response({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    def _finish(self, response: Response) -> Response:
        finish_response(response)
        response.headers.extend(SECURITY_HEADERS)
        record_request(
            response,
            self.metrics,
            access_log=self._settings.access_log,
            session=g.get("session_reference", ""),
        )
        return response


def build(settings: WebSettings, lifecycle: Lifecycle) -> Site:
    """The client application, with its metrics port open.

    Raises:
        CommandFailed: a key file is unusable, or the metrics port is taken.
    """
    metrics = WebMetrics()
    application = ClientApplication(settings, lifecycle=lifecycle, metrics=metrics)
    if settings.metrics_port:
        require_free_port(settings.host, settings.metrics_port)
        serve_metrics(metrics.registry, settings.host, settings.metrics_port)
    log.info(
        "page ready",
        extra={
            "address": f"http://{settings.host}:{settings.port}",
            "sign_in": settings.issuer or "none: open to everybody who reaches this address",
        },
    )
    return application.site


def _readable(path: Path | None) -> KeyFile | None:
    """The key file at ``path``, known to hold a key; None for None."""
    if path is None:
        return None
    key_file = KeyFile(path)
    try:
        key_file.read()
    except KeyUnreadable as error:
        raise CommandFailed(str(error)) from None
    return key_file


def _begin() -> None:
    begin_request()
    refuse_other_origins(request)


def _adopt_request_id(reply: Reply) -> None:
    """Where a gateway gave the request a name of its own, the user learns that one."""
    given = reply.headers.get("X-Request-Id", "")
    if WELL_FORMED.fullmatch(given):
        g.request_id = given
