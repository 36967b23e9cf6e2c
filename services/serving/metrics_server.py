"""The port of ``GET /metrics``, which anybody inside the cluster may look at."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any, TextIO, cast
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, start_http_server

log = logging.getLogger(__name__)


def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> threading.Thread:
    """Serve ``GET /metrics`` on its own port, from a thread of its own.

    Raises:
        OSError: the port cannot be opened.
    """
    server, thread = start_http_server(port, addr=host, registry=registry)
    server.RequestHandlerClass = _Handler
    server.handle_error = _note_failure
    application = cast("WSGIApplication", server.get_app())
    server.set_app(_for_any_accept(application))
    return thread


class _Handler(WSGIRequestHandler):
    """Writes nothing to standard error, which is a log of JSON lines."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it is called by
        pass

    def get_stderr(self) -> TextIO:
        return io.StringIO()


def _note_failure(request: object, client_address: object) -> None:  # noqa: ARG001 - as called
    """Tell in one line why a reader was not answered; most have gone, as port scanners do."""
    error = sys.exception()
    if isinstance(error, ConnectionError):
        log.info("a reader of the metrics has gone")
    else:
        log.error("unexpected error", exc_info=error)


def _for_any_accept(application: WSGIApplication) -> WSGIApplication:
    """Answer in the usual format who asks for one in a way that prometheus_client cannot read."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            try:
                return application(environ, start_response)
            except (TypeError, ValueError):
                return application({**environ, "HTTP_ACCEPT": ""}, start_response)
        except Exception:
            log.exception("unexpected error")
            raise

    return answer
