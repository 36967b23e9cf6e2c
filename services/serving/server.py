"""Running a WSGI application on granian: one worker process, many threads, an orderly end.

granian closes its listener the moment it is told to stop. A load balancer learns of that only
later, so the parent process keeps SIGTERM to itself at first: it tells the worker to drain
(readiness goes, requests are still answered), waits ``drain_seconds`` and only then lets granian
stop, which finishes what is under way.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import logging
import mimetypes
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer

from services.serving.api_keys import KeyFileError
from services.serving.command_line import CommandFailed
from services.serving.cpu import limit_native_threads
from services.serving.lifecycle import DRAIN, LOOK, Lifecycle
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


class Link:
    """What the parent and the worker process tell each other: orders, and why it cannot start.

    A pipe rather than an event: telling a worker that is gone or hangs must never block.
    """

    def __init__(self) -> None:
        self._parent, self._worker = multiprocessing.Pipe()

    def order(self, order: str) -> None:
        """Called in the parent."""
        _tell(self._parent, order)

    def wait(self) -> str:
        """Called in the worker: the parent's next order."""
        return str(self._worker.recv())

    def fail(self, reason: str) -> None:
        """Called in the worker, before it gives up."""
        _tell(self._worker, reason)

    def failure(self) -> str:
        """Called in the parent, after the worker has ended: why, if the worker could say."""
        if self._parent.poll():
            return str(self._parent.recv())
        return "the worker process died"


def _tell(end: Connection, message: str) -> None:
    with contextlib.suppress(OSError):
        end.send(message[:2000])


class DrainingServer(MPServer):
    """granian's server, which drains before it stops."""

    link: Link
    drain_seconds: float
    has_terminal = False
    stopping = False

    def signal_handler_interrupt(self, *args: Any, **_: Any) -> None:
        """First SIGTERM: drain, then stop. SIGINT, or a second signal: stop now."""
        at_once = self.stopping or not self.drain_seconds or signal.SIGINT in args[:1]
        if not self.stopping:
            self.stopping = True
            for worker in self.wrks:
                worker.interrupt_by_parent = True
            self.link.order(DRAIN)
        if at_once:
            self._stop()
        else:
            timer = threading.Timer(self.drain_seconds, self._stop)
            timer.daemon = True
            timer.start()

    def signal_handler_reload(self, *args: Any, **_: Any) -> None:
        """SIGHUP of a closed terminal ends the service; without one it asks for another model."""
        if self.has_terminal:
            self.signal_handler_interrupt(*args)
        else:
            self.link.order(LOOK)

    def _stop(self) -> None:
        super().signal_handler_interrupt()  # pyright: ignore[reportUnknownMemberType]


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
    from services.serving.model_watch import ModelWatch, signature_of

    metrics = Metrics()
    lifecycle.on_change = metrics.ready.set
    began = time.perf_counter()
    seen = signature_of(settings.model)
    model = load(settings)
    model.warm_up()
    seconds = time.perf_counter() - began
    metrics.describe_model(model.info, seconds)
    service = Service(model, settings, lifecycle=lifecycle, metrics=metrics)
    watch = ModelWatch(
        settings.model,
        lambda folder: load(settings.model_copy(update={"model": folder})),
        versions=service.versions,
        replace=service.replace_model,
        metrics=metrics,
        interval_seconds=settings.model_check_seconds,
        keep_seconds=settings.previous_model_seconds,
        seen=seen,
    )
    watch.start(lifecycle.look_asked)
    _open_metrics_port(settings, metrics.registry)
    log.info(
        "model ready",
        extra={
            "model": model.info.name,
            "version": model.info.version,
            "sha256": model.info.sha256,
            "backend": model.info.backend,
            "device": model.info.device,
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
    address = require_free_port(settings.host, settings.port)
    if settings.metrics_port:
        require_free_port(settings.host, settings.metrics_port)
    _allow_many_connections()
    link = Link()
    server = DrainingServer(
        target="services",
        address=address,
        port=settings.port,
        interface=Interfaces.WSGI,
        blocking_threads=settings.request_threads,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        # HTTP/2 would put many requests on one connection, which slow_bodies could not tell apart.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000, keep_alive=True),
        workers_kill_timeout=settings.stop_seconds,
        log_enabled=False,
    )
    server.link = link
    server.drain_seconds = settings.drain_seconds
    server.has_terminal = _has_terminal()
    try:
        server.serve(
            target_loader=partial(_load_in_worker, settings, build, link), wrap_loader=False
        )
    except SystemExit as ended:
        if ended.code:
            raise CommandFailed(link.failure()) from None


def _load_in_worker(settings: SettingsT, build: Build[SettingsT], link: Link) -> WSGIApplication:
    """Runs in the worker process, before it listens: until then the service is not ready."""
    _be_stoppable_while_loading()
    configure_logs()
    _end_with_parent()
    _share_memory_arenas()
    lifecycle = Lifecycle()
    try:
        application = build(settings, lifecycle)
    except (ModelFolderError, ModelRejected, KeyFileError, CommandFailed) as error:
        link.fail(str(error))
        os._exit(1)
    except Exception as error:
        log.error("cannot start", exc_info=error)
        reason = (str(error).splitlines() or [""])[0]
        link.fail(f"{type(error).__name__}: {reason}")
        os._exit(1)
    _spare_the_first_request()
    lifecycle.obey(link)
    lifecycle.start()
    return application


def _be_stoppable_while_loading() -> None:
    """Drop the parent's handlers, which this process inherited; granian sets its own later.

    SIGINT is the parent's to handle. A terminal sends it to the whole process group, and a granian
    worker that gets both that and the parent's SIGTERM does not always end: so the worker has a
    group of its own.
    """
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _spare_the_first_request() -> None:
    """Do now what would otherwise fall into a request.

    Collecting what the imports and the model left behind takes 50 to 150 ms, and would again with
    every full collection: frozen objects are never looked at again.
    """
    mimetypes.init()
    gc.collect()
    gc.freeze()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def require_free_port(host: str, port: int) -> str:
    """The numeric address of ``host``, on which ``port`` can be listened on.

    granian's workers share a port, so without this a second service would take half the requests.

    Raises:
        CommandFailed: the address cannot be listened on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        return str(address[0])
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


def _allow_many_connections() -> None:
    """Raise the limit of open files to what so many connections need, as far as is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * CONNECTIONS
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _share_memory_arenas() -> None:
    """Let request threads allocate from a few arenas (glibc), not from one for each of them.

    Otherwise every thread that ever decoded a picture keeps the memory for it.
    """
    with contextlib.suppress(AttributeError, OSError):
        m_arena_max, arenas = -8, 2
        ctypes.CDLL(None).mallopt(m_arena_max, arenas)


def _end_with_parent() -> None:
    """Ask Linux to end the worker when the parent is killed, so that it never holds the port."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)
