"""Another model in the place of the present one: what is taken, what is refused, what is kept."""

from __future__ import annotations

import gc
import logging
import os
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.serving import model_watch
from services.serving.application import Service
from services.serving.command_line import CommandFailed
from services.serving.logs import SafeJsonFormatter
from services.serving.model import ModelInfo, ModelRejected
from services.serving.model_folder import read_model_folder
from services.serving.model_watch import ModelWatch, signature_of
from services.serving.problem import Problem
from tests.services.serving.lever_service import LeverSettings
from tests.services.serving.model_folders import spoil, write_model
from tests.services.serving.protocols.conftest import dumped, tensor_request
from tests.services.serving.protocols.vectors import VectorModel


class FolderModel(VectorModel):
    """A vector model whose version is that of its folder; the factor is its length."""

    warm_up_error: Exception | None = None

    def __init__(self, folder: Path) -> None:
        manifest = read_model_folder(folder, kind="lever")
        super().__init__(manifest.version, factor=len(manifest.version))
        self.info = ModelInfo("doubling", manifest.version, manifest.sha256, "numpy")

    def warm_up(self) -> None:
        if self.warm_up_error is not None:
            raise self.warm_up_error


class Watched:
    """A service with a model folder, and its watch, which looks when a test says so."""

    def __init__(self, folder: Path, keep_seconds: float = 600) -> None:
        self.folder = folder
        write_model(folder, "1")
        self.loads = 0
        self.service = Service(FolderModel(folder), LeverSettings(model=folder))
        self.watch = ModelWatch(
            folder,
            self.load,
            versions=self.service.versions,
            replace=self.service.replace_model,
            metrics=self.service.metrics,
            interval_seconds=0,
            keep_seconds=keep_seconds,
            seen=signature_of(folder),
        )

    def load(self, folder: Path) -> FolderModel:
        self.loads += 1
        return FolderModel(folder)

    def factor(self, version: str = "") -> float | int:
        """By what the model multiplies; or the status where there is none."""
        part = f"/versions/{version}" if version else ""
        path = f"/v2/models/vectors{part}/infer"
        answer = self.service.flask.test_client().post(path, data=dumped(tensor_request()))
        if answer.json is None or answer.status_code != 200:
            return answer.status_code
        return answer.json["outputs"][0]["data"][0]

    def counted(self, result: str) -> float:
        name = "modelsvc_model_updates_total"
        return self.service.metrics.registry.get_sample_value(name, {"result": result}) or 0


@dataclass
class Clock:
    """What the watch takes for the time."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def perf_counter(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(model_watch, "time", clock)
    return clock


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    each = Watched(tmp_path / "model")
    yield each
    each.service.batcher.close()


def test_a_model_renamed_into_place_answers_and_the_one_before_by_its_version(
    watched: Watched,
) -> None:
    assert watched.factor() == 1
    write_model(watched.folder, "22")
    watched.watch.look()

    assert (watched.factor(), watched.factor("22"), watched.factor("latest")) == (2, 2, 2)
    assert watched.factor("1") == 1
    metadata = watched.service.flask.test_client().get("/v2/models/vectors").json
    assert metadata is not None
    assert metadata["versions"] == ["22", "1"]
    assert watched.counted("taken") == 1


def test_the_document_and_the_metrics_name_the_model_that_answers(watched: Watched) -> None:
    write_model(watched.folder, "22")
    watched.watch.look()
    document = watched.service.flask.test_client().get("/openapi.json").json
    (info,) = watched.service.metrics.model_info.collect()

    assert document is not None
    assert document["info"]["version"] == "22"
    assert [sample.labels["version"] for sample in info.samples] == ["22"]


def test_a_symbolic_link_that_points_elsewhere_is_noticed(tmp_path: Path) -> None:
    write_model(tmp_path / "second", "22")
    link = tmp_path / "model"
    link.symlink_to("first")
    watched = Watched(link)
    (tmp_path / "new").symlink_to("second")
    os.replace(tmp_path / "new", link)
    watched.watch.look()

    assert watched.factor() == 2
    watched.service.batcher.close()


def test_the_same_model_written_again_is_not_loaded(watched: Watched) -> None:
    manifest = watched.folder / "manifest.json"
    os.utime(manifest, (1, 1))
    watched.watch.look()

    assert watched.loads == 0


def test_the_same_version_with_another_content_takes_its_place(watched: Watched) -> None:
    write_model(watched.folder, "1", "better")
    watched.watch.look()

    assert watched.counted("taken") == 1
    assert watched.factor("1") == 1
    assert len(watched.service.versions.of("vectors")) == 1


@pytest.mark.parametrize(
    "error", [ModelRejected("wrong"), CommandFailed("no GPU"), ValueError("the user's text")]
)
def test_a_model_that_fails_its_warm_up_is_refused(
    watched: Watched,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(FolderModel, "warm_up_error", error)
    write_model(watched.folder, "22")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            watched.watch.look()

    assert (watched.factor(), watched.factor("22")) == (1, 404)
    assert (watched.loads, watched.counted("refused")) == (1, 1)
    (record,) = caplog.records
    assert "refused" in record.getMessage()
    assert "the user's text" not in record.getMessage()


def test_a_folder_that_is_not_as_it_was_written_is_refused_and_tried_again_when_asked(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(watched.folder, "22")
    spoil(watched.folder)
    watched.watch.look()
    assert watched.factor() == 1
    assert "differs from its SHA-256" in caplog.text
    (watched.folder / "weights").write_text("content")
    watched.watch.look()
    assert watched.factor() == 1
    watched.watch.look(again=True)

    assert watched.factor() == 2


def test_a_good_model_after_a_bad_one_is_taken(watched: Watched) -> None:
    write_model(watched.folder, "22")
    spoil(watched.folder)
    watched.watch.look()
    write_model(watched.folder, "333")
    watched.watch.look()

    assert watched.factor() == 3


def test_a_refused_folder_is_tried_again_after_a_while(watched: Watched, clock: Clock) -> None:
    """The disk or the memory may have failed for a moment, or the copy may have been incomplete."""
    write_model(watched.folder, "22")
    weights, away = watched.folder / "weights", watched.folder.with_name("weights")
    weights.rename(away)
    tried: list[int] = []
    for second in range(4 * 3600):
        clock.seconds = second
        before = watched.counted("refused")
        watched.watch.look()
        if watched.counted("refused") > before:
            tried.append(second)
    assert tried == [0, 60, 180, 420, 900, 1860, 3780, 7380, 10980]
    away.rename(weights)
    clock.seconds += 3600
    watched.watch.look()

    assert watched.factor() == 2


def test_wrong_outputs_are_not_tried_again_by_themselves(
    watched: Watched, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderModel, "warm_up_error", ModelRejected("wrong"))
    write_model(watched.folder, "22")
    watched.watch.look()
    clock.seconds = 100_000
    watched.watch.look()
    assert watched.loads == 1
    watched.watch.look(again=True)

    assert watched.loads == 2


def test_who_asks_again_does_not_put_off_the_next_try(watched: Watched, clock: Clock) -> None:
    write_model(watched.folder, "22")
    spoil(watched.folder)
    for again in (False, True, True, True):
        watched.watch.look(again=again)
    clock.seconds = 60
    watched.watch.look()

    assert watched.counted("refused") == 5


def test_another_folder_after_a_refused_one_is_tried_again_as_soon(
    watched: Watched, clock: Clock
) -> None:
    for second, version in ((0, "22"), (60, ""), (100, "333"), (160, "")):
        clock.seconds = second
        if version:
            write_model(watched.folder, version)
            spoil(watched.folder)
        watched.watch.look()

    assert watched.counted("refused") == 4


def test_what_was_not_foreseen_is_told_with_its_place(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FolderModel, "warm_up_error", Problem(503, "Memory does not suffice."))
    write_model(watched.folder, "22")
    watched.watch.look()
    assert "goes on: Memory does not suffice." in caplog.text
    monkeypatch.setattr(FolderModel, "warm_up_error", ValueError("the user's text"))
    watched.watch.look(again=True)
    (*_, record) = caplog.records
    line = SafeJsonFormatter().format(record)

    assert "ValueError at warm_up:" in line
    assert "the user's text" not in line


def test_a_folder_that_is_gone_changes_nothing_and_is_told_of_once(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    away = watched.folder.with_name("away")
    watched.folder.rename(away)
    for again in (False, False, True, False):
        watched.watch.look(again=again)

    assert watched.factor() == 1
    assert watched.counted("refused") == 0
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2, "by itself once, and once to who asked"
    assert all("No such file or directory" in line for line in lines)

    away.rename(watched.folder)
    watched.watch.look()
    watched.folder.rename(away)
    watched.watch.look()
    assert len(caplog.records) == 3, "gone once more"


def test_links_that_go_in_circles_do_not_end_the_watch(watched: Watched) -> None:
    watched.folder.rename(watched.folder.with_name("first"))
    watched.folder.symlink_to(watched.folder.name)
    watched.watch.look()
    watched.folder.unlink()
    write_model(watched.folder, "22")
    watched.watch.look()

    assert watched.factor() == 2


def test_another_model_of_the_same_version_leaves_the_one_before_to_be_asked(
    watched: Watched,
) -> None:
    """As publishers' names of weights, which many networks share."""
    other = FolderModel(watched.folder)
    other.info = replace(other.info, name="tripling", sha256="another")
    watched.service.replace_model(other)
    names = [each.model.info.name for each in watched.service.versions.present]

    metadata = watched.service.flask.test_client().get("/v2/models/vectors").json

    assert metadata is not None
    assert metadata["versions"] == ["1"]
    assert names == ["tripling", "doubling"]
    assert watched.service.versions.find("doubling").model.info.name == "doubling"


def test_the_model_before_is_let_go_when_its_time_is_over(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "model", keep_seconds=0)
    first = weakref.ref(watched.service.versions.current.model)
    write_model(watched.folder, "22")
    watched.watch.look()
    assert watched.factor("1") == 1
    watched.watch.forget_if_due()

    assert watched.factor("1") == 404
    gc.collect()
    assert first() is None
    watched.service.batcher.close()


def test_there_are_never_more_than_two_models(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = weakref.WeakSet([watched.service.versions.current.model])
    most: list[int] = []

    def load(folder: Path) -> FolderModel:
        gc.collect()
        model = FolderModel(folder)
        alive.add(model)
        most.append(len(alive))
        return model

    monkeypatch.setattr(watched.watch, "_load", load)
    for version in ("22", "333", "4444"):
        write_model(watched.folder, version)
        watched.watch.look()
        assert watched.factor() == len(version)

    assert most == [2, 2, 2]


def test_a_request_under_way_is_answered_by_the_model_that_it_began_with(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring, go_on = threading.Event(), threading.Event()
    original = VectorModel.predict

    def held(self, items):  # type: ignore[no-untyped-def]
        scoring.set()
        go_on.wait(10)
        return original(self, items)

    monkeypatch.setattr(VectorModel, "predict", held)
    answers: list[float] = []
    asking = threading.Thread(target=lambda: answers.append(watched.factor()))
    asking.start()
    assert scoring.wait(10)
    write_model(watched.folder, "22")
    watched.watch.look()
    watched.watch._let_go_of_previous()
    go_on.set()
    asking.join()

    assert answers == [1]
    assert watched.factor() == 2
