"""Running a WSGI application on granian: one worker process, many threads, an orderly end.

granian closes its listener the moment it is told to stop. A load balancer learns of that only
later, so the parent process keeps SIGTERM to itself at first: it tells the worker to drain
(readiness goes, requests are still answered), waits ``drain_seconds`` and only then lets granian
stop, which finishes what is under way.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING, Any, TypeVar
from wsgiref.types import WSGIApplication

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server import Server

from services.serving.api_keys import KeyFileError
from services.serving.command_line import CommandFailed
from services.serving.cpu import limit_native_threads
from services.serving.lifecycle import Lifecycle
from services.serving.logs import configure_logs
from services.serving.model import Model, ModelRejected
from services.serving.model_folder import ModelFolderError
from services.serving.settings import ServerSettings, ServiceSettings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger("server")

CONNECTIONS = 4096
"""Open connections that are served, idle ones included; must exceed the load balancers'."""

SettingsT = TypeVar("SettingsT", bound=ServerSettings)
ServiceSettingsT = TypeVar("ServiceSettingsT", bound=ServiceSettings)
Build = Callable[[SettingsT, Lifecycle], WSGIApplication]


class DrainingServer(Server):
    """granian's server, which drains before it stops."""

    drain_event: Event
    drain_seconds: float
    stopping = False

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """First SIGTERM: drain, then stop. SIGINT, or a second signal: stop now."""
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        self.drain_event.set()
        at_once = self.stopping or not self.drain_seconds or signal.SIGINT in args[:1]
        self.stopping = True
        if at_once:
            super().signal_handler_interrupt()
        else:
            timer = threading.Timer(self.drain_seconds, super().signal_handler_interrupt)
            timer.daemon = True
            timer.start()


def serve(settings: ServiceSettingsT, load: Callable[[ServiceSettingsT], Model[Any, Any]]) -> None:
    """Serve the model that ``load`` returns, until SIGTERM or Ctrl-C.

    ``load`` runs in the worker process, so that the parent stays small.

    Raises:
        CommandFailed: the port is taken, or the model cannot be served.
    """
    limit_native_threads(settings.model_threads)
    run(settings, partial(build_service, load))


def build_service(
    load: Callable[[ServiceSettingsT], Model[Any, Any]],
    settings: ServiceSettingsT,
    lifecycle: Lifecycle,
) -> WSGIApplication:
    """Load and warm up the model and build the application around it."""
    from services.serving.application import Service
    from services.serving.metrics import Metrics

    metrics = Metrics()
    lifecycle.on_change = lambda ready: metrics.ready.set(ready)
    began = time.perf_counter()
    model = load(settings)
    model.warm_up()
    seconds = time.perf_counter() - began
    metrics.describe_model(model.info, seconds)
    service = Service(model, settings, lifecycle=lifecycle, metrics=metrics)
    _open_metrics_port(settings, metrics.registry)
    log.info(
        "model ready",
        extra={
            "model": model.info.name,
            "version": model.info.version,
            "sha256": model.info.sha256,
            "backend": model.info.backend,
            "load_seconds": round(seconds, 3),
            "address": f"http://{settings.host}:{settings.port}",
        },
    )
    return service.wsgi


def run(settings: SettingsT, build: Build[SettingsT]) -> None:
    """Serve what ``build`` returns, until SIGTERM or Ctrl-C.

    Raises:
        CommandFailed: the port is taken, or the worker process could not start or died.
    """
    require_free_port(settings.host, settings.port)
    event = multiprocessing.Event()
    server = DrainingServer(
        target="services",
        address="127.0.0.1" if settings.host == "localhost" else settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        blocking_threads=settings.request_threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=30_000, keep_alive=True),
        workers_kill_timeout=settings.stop_seconds,
        log_enabled=False,
    )
    server.drain_event = event
    server.drain_seconds = settings.drain_seconds
    try:
        server.serve(
            target_loader=partial(_load_in_worker, settings, build, event), wrap_loader=False
        )
    except SystemExit as ended:
        if ended.code:
            raise CommandFailed("the service ended; the reason is above") from None


def _load_in_worker(settings: SettingsT, build: Build[SettingsT], event: Event) -> WSGIApplication:
    """Runs in the worker process, before it listens: until then the service is not ready."""
    configure_logs()
    _end_with_parent()
    lifecycle = Lifecycle()
    try:
        application = build(settings, lifecycle)
    except (ModelFolderError, ModelRejected, KeyFileError, CommandFailed) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        os._exit(1)
    except KeyboardInterrupt:
        os._exit(1)
    lifecycle.drain_on(event)
    lifecycle.start()
    return application


def require_free_port(host: str, port: int) -> None:
    """Raise :class:`CommandFailed` if the address cannot be listened on.

    granian's workers share a port, so without this a second service would take half the requests.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = (
            "is in use; choose another one"
            if error.errno == errno.EADDRINUSE
            else f"cannot be opened: {error.strerror}"
        )
        raise CommandFailed(f"port {port} on {host} {reason}") from None


def _open_metrics_port(settings: ServerSettings, registry: CollectorRegistry) -> None:
    from services.serving.metrics import serve_metrics

    if settings.metrics_port:
        require_free_port(settings.host, settings.metrics_port)
        serve_metrics(registry, settings.host, settings.metrics_port)


def _end_with_parent() -> None:
    """Ask Linux to end the worker when the parent is killed, so that it never holds the port."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)
