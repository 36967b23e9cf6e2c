"""Running a site in this process: signals, ports, an orderly end."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import mimetypes
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from services.serving.allocator import share_arenas
from services.serving.api_keys import KeyFileError
from services.serving.command_line import CommandFailed
from services.serving.cpu import limit_native_threads
from services.serving.http.exchange import Site
from services.serving.http.limits import MOST_CONNECTIONS, Patience
from services.serving.http.listener import Listener
from services.serving.huge_pages import use_huge_pages
from services.serving.lifecycle import Lifecycle
from services.serving.logs import configure_logs
from services.serving.model import Model, ModelRejected
from services.serving.model_folder import ModelFolderError
from services.serving.settings import ServerSettings, ServiceSettings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from services.serving.application import Service

log = logging.getLogger("server")

SettingsT = TypeVar("SettingsT", bound=ServerSettings)
ServiceSettingsT = TypeVar("ServiceSettingsT", bound=ServiceSettings)
Build = Callable[[SettingsT, Lifecycle], Site]


def serve(settings: ServiceSettingsT, load: Callable[[ServiceSettingsT], Model[Any, Any]]) -> None:
    """Serve the model that ``load`` returns, until SIGTERM or Ctrl-C.

    Raises:
        CommandFailed: the port is taken, or the model cannot be served.
    """
    limit_native_threads(settings.model_threads)
    run(settings, partial(build_service, load))


def build_service(
    load: Callable[[ServiceSettingsT], Model[Any, Any]],
    settings: ServiceSettingsT,
    lifecycle: Lifecycle,
) -> Site:
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
        replace=partial(_replace, service),
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
    return service.site


def _replace(service: Service, model: Model[Any, Any]) -> None:
    use_huge_pages()
    service.replace_model(model)


def run(settings: SettingsT, build: Build[SettingsT]) -> None:
    """Serve what ``build`` returns, until SIGTERM or Ctrl-C.

    Raises:
        CommandFailed: the port is taken, or what is to be served cannot be built.
    """
    address = require_free_port(settings.host, settings.port)
    if settings.metrics_port:
        require_free_port(settings.host, settings.metrics_port)
    _allow_many_connections()
    lifecycle = Lifecycle()
    _obey_signals_while_loading(lifecycle)
    configure_logs()
    share_arenas()
    site = _built(settings, build, lifecycle)
    _spare_the_first_request()
    with asyncio.Runner() as runner:
        runner.run(_serve_until_told(settings, site, lifecycle, address))
    # Threads that still work for clients who were given up do not keep the process.
    logging.shutdown()
    sys.stdout.flush()
    if _has_busy_threads():
        os._exit(0)


def _built(settings: SettingsT, build: Build[SettingsT], lifecycle: Lifecycle) -> Site:
    try:
        return build(settings, lifecycle)
    except (ModelFolderError, ModelRejected, KeyFileError) as error:
        raise CommandFailed(str(error)) from None
    except CommandFailed:
        raise
    except Exception as error:
        log.error("cannot start", exc_info=error)
        reason = (str(error).splitlines() or [""])[0]
        raise CommandFailed(f"{type(error).__name__}: {reason}") from None


async def _serve_until_told(
    settings: ServerSettings, site: Site, lifecycle: Lifecycle, address: str
) -> None:
    listener = Listener(
        site, Patience(body=settings.body_seconds), is_draining=lambda: lifecycle.draining
    )
    ending = asyncio.Event()
    _obey_signals(lifecycle, ending, settings.drain_seconds)
    await listener.open(address, settings.port)
    lifecycle.start()
    await ending.wait()
    await listener.close(settings.stop_seconds)


def _obey_signals(lifecycle: Lifecycle, ending: asyncio.Event, drain_seconds: float) -> None:
    """First SIGTERM: drain, then end. SIGINT, or a second signal: end now.

    SIGHUP of a closed terminal ends the service; without one it asks for another model.
    """
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        at_once = lifecycle.draining or not drain_seconds or number == signal.SIGINT
        lifecycle.drain()
        if at_once:
            ending.set()
        else:
            loop.call_later(drain_seconds, ending.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    if _has_terminal():
        loop.add_signal_handler(signal.SIGHUP, end, signal.SIGHUP)
    else:
        loop.add_signal_handler(signal.SIGHUP, lifecycle.look_asked.set)
        if lifecycle.was_asked_early:
            lifecycle.look_asked.set()


def _obey_signals_while_loading(lifecycle: Lifecycle) -> None:
    """End at once when told to before there is anything to finish; SIGHUP is for afterwards.

    The first process of a container is not ended by a signal that it does not handle.
    """

    def end(*_: object) -> None:
        os._exit(0)

    def look_afterwards(*_: object) -> None:
        # Not the event: a second signal within its lock would wait for itself.
        lifecycle.was_asked_early = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    if not _has_terminal():
        signal.signal(signal.SIGHUP, look_afterwards)


def _has_busy_threads() -> bool:
    """Whether threads that the interpreter would wait for are at work."""
    return any(
        thread is not threading.main_thread() and not thread.daemon
        for thread in threading.enumerate()
    )


def _spare_the_first_request() -> None:
    """Do now what would otherwise fall into a request.

    Collecting what the imports and the model left behind takes 50 to 150 ms, and would again with
    every full collection: frozen objects are never looked at again.
    """
    mimetypes.init()
    gc.collect()
    gc.freeze()
    use_huge_pages()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def require_free_port(host: str, port: int) -> str:
    """The numeric address of ``host``, on which ``port`` can be listened on.

    Asked before the model is loaded, which may take minutes.

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
    from services.serving.metrics_server import serve_metrics

    if settings.metrics_port:
        require_free_port(settings.host, settings.metrics_port)
        serve_metrics(registry, settings.host, settings.metrics_port)


def _allow_many_connections() -> None:
    """Raise the limit of open files to what so many connections need, as far as is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MOST_CONNECTIONS
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
