"""Putting another model in the place of the one that answers, without losing a request.

The folder at the model's path is looked at every few seconds, and on SIGHUP. Another manifest there
(a folder renamed into place, or a symbolic link that points elsewhere) is loaded beside the present
model, warmed and held against its golden outputs in a thread of its own, and only then answers. One
that fails is told of and refused; nothing else changes. Unless its outputs are wrong, it is tried
again after a while: a disk or memory may have failed for a moment, or a copy may be incomplete.

At most two models are in memory: the one that answers, and either the one before it, which can be
asked for by its version for a while, or the one that is being loaded.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.serving.command_line import CommandFailed
from services.serving.metrics import Metrics
from services.serving.model import Model, ModelRejected
from services.serving.model_folder import MANIFEST, ModelFolderError
from services.serving.problem import Problem
from services.serving.versions import Versions

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0

Signature = tuple[str, int, int, int]
"""What tells one manifest from another: real path, inode, time of change, size."""


class ModelWatch:
    """Watches one model folder.

    Args:
        folder: the model's path, which may be a symbolic link.
        load: loads the model in a folder; raises ModelFolderError, ModelRejected or CommandFailed
            for one that cannot serve.
        versions: the model that answers.
        replace: puts a model in its place.
        metrics: counts what became of each new model.
        interval_seconds: time between two looks; 0 to look only when asked.
        keep_seconds: how long the model before can be asked for.
    """

    def __init__(
        self,
        folder: Path,
        load: Callable[[Path], Model[Any, Any]],
        *,
        versions: Versions,
        replace: Callable[[Model[Any, Any]], None],
        metrics: Metrics,
        interval_seconds: float,
        keep_seconds: float,
        seen: Signature | None = None,
    ) -> None:
        self._folder = folder
        self._load = load
        self._versions = versions
        self._replace = replace
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._keep_seconds = keep_seconds
        self._seen = seen
        self._retry_seconds = RETRY_SECONDS
        self._retry_at = math.inf
        self._is_missing = False
        self._forget_at: float | None = None

    def start(self, asked: threading.Event) -> None:
        """Look from now on, every so often and whenever ``asked`` is set."""
        threading.Thread(target=self._watch, args=(asked,), name="model-watch", daemon=True).start()

    def look(self, *, again: bool = False) -> None:
        """Take the model that is there now, if it is another one.

        ``again``: also one that was refused before, at once.
        """
        try:
            signature = _signature(self._folder)
        except OSError as error:
            self._miss(error, again=again)
            return
        self._is_missing = False
        if signature != self._seen or again:
            self._retry_seconds = RETRY_SECONDS
        elif time.monotonic() < self._retry_at:
            return
        self._seen, self._retry_at = signature, math.inf
        folder = Path(signature[0])
        if _sha256(folder / MANIFEST) == self._versions.current.model.info.sha256:
            return
        self._let_go_of_previous()
        began = time.perf_counter()
        try:
            model = self._load(folder)
            model.warm_up()
            self._replace(model)
        except ModelRejected as error:
            self._refuse(str(error))
            self._retry_at = math.inf
        except (ModelFolderError, CommandFailed) as error:
            self._refuse(str(error))
        except Problem as problem:
            self._refuse(problem.detail)
        except Exception as error:  # noqa: BLE001 - a faulty model must not end what serves
            self._refuse(type(error).__name__, error)
        else:
            self._metrics.describe_model(model.info, time.perf_counter() - began)
            self._metrics.model_updates.labels("taken").inc()
            self._forget_at = time.monotonic() + self._keep_seconds
            log.info("model replaced", extra=_described(model))
            _settle_memory()

    def forget_if_due(self) -> None:
        """Let go of the model before once its time is over."""
        if self._forget_at is not None and time.monotonic() >= self._forget_at:
            self._let_go_of_previous()

    def _watch(self, asked: threading.Event) -> None:
        while True:
            was_asked = asked.wait(self._seconds_to_wait())
            asked.clear()
            self.forget_if_due()
            if was_asked or self._interval_seconds:
                self.look(again=was_asked)

    def _seconds_to_wait(self) -> float | None:
        waits = [self._interval_seconds] if self._interval_seconds else []
        if self._forget_at is not None:
            waits.append(max(0.0, self._forget_at - time.monotonic()))
        return min(waits, default=None)

    def _let_go_of_previous(self) -> None:
        self._forget_at = None
        if self._versions.forget_previous():
            _settle_memory()

    def _refuse(self, reason: str, unexpected: Exception | None = None) -> None:
        self._retry_at = time.monotonic() + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, LONGEST_RETRY_SECONDS)
        self._metrics.model_updates.labels("refused").inc()
        log.error(
            "a new model was refused; the present one goes on: %s",
            reason,
            extra={"version": self._versions.current.version},
            exc_info=unexpected,
        )

    def _miss(self, error: OSError, *, again: bool) -> None:
        """Say once, and whenever somebody asks, that no model can be seen in the folder.

        A container that has the folder itself mounted sees nothing new after it was replaced.
        """
        if again or not self._is_missing:
            log.warning(
                "no model is in %s; the present one goes on: %s",
                self._folder,
                error.strerror,
                extra={"version": self._versions.current.version},
            )
        self._is_missing = True


def signature_of(folder: Path) -> Signature | None:
    """The signature of the manifest that is in ``folder`` now; None while there is none."""
    try:
        return _signature(folder)
    except OSError:
        return None


def _signature(folder: Path) -> Signature:
    # Path.resolve tells of links that go in circles by a RuntimeError.
    real = os.path.realpath(folder, strict=True)
    status = Path(real, MANIFEST).stat()
    return real, status.st_ino, status.st_mtime_ns, status.st_size


def _sha256(manifest: Path) -> str:
    try:
        return hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError:
        return ""


def _described(model: Model[Any, Any]) -> dict[str, str]:
    info = model.info
    return {"model": info.name, "version": info.version, "sha256": info.sha256}


def _settle_memory() -> None:
    """Collect what is left of a model, and never look at what stays again, as at the start."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
