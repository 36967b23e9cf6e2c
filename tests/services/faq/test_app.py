"""The operations parse, refuse and render as the API says."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.faq.__main__ import COMMANDS
from services.faq.api import MatchResponse, ScoreResponse
from services.faq.app import FaqModel, load
from services.faq.settings import FaqSettings
from services.launch import ROOT
from services.serving.command_line import main
from services.serving.model import Incoming, Timing
from services.serving.problem import Problem
from tests.services.faq.conftest import Small

QUESTION = "How can I keep each value of an array only once?"


@pytest.fixture(scope="module")
def folder(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app") / "faq"
    template = "https://example.org/q/{id}"
    options = ["--data", small.folder, "--model", folder, "--url-template", template]
    assert main("services.faq", "", COMMANDS, ["train", *map(str, options)]) == 0
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> FaqModel:
    model = load(FaqSettings(model=folder))
    model.warm_up()
    return model


def post(model: FaqModel, path: str, document: Mapping[str, Any]) -> Any:
    operation = next(each for each in model.operations() if each.path == path)
    call = operation.prepare(Incoming("application/json", {}, orjson.dumps(document)))
    answer = call.render(model.predict(call.items), Timing(elapsed_ms=12.5))
    return orjson.loads(orjson.dumps(answer))


def test_a_model_goes_with_the_last_who_asks_it(folder: Path) -> None:
    """What refers to itself would stay frozen in memory after a swap, beside the new one."""
    gc.collect()
    gc.disable()
    try:
        model = load(FaqSettings(model=folder))
        post(model, "/v1/match", {"question": QUESTION})
        gone = weakref.ref(model)
        del model
        assert gone() is None
    finally:
        gc.enable()


def test_what_serves_needs_no_more_than_its_image_has() -> None:
    """The Dockerfile copies the modules that are in the folder itself, and none below it."""
    program = "import sys, services.faq.__main__, services.faq.app; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    below = re.findall(r"^services\.faq\.\w+\..+", done.stdout, re.MULTILINE)
    assert "services.faq.import_settings" in done.stdout
    assert below == []


def test_what_the_service_shows_as_an_example_can_be_asked(model: FaqModel) -> None:
    for operation in model.operations():
        examples = operation.accepts["application/json"].examples
        assert examples
        for example in examples.values():
            assert post(model, operation.path, example)


def test_matches_are_the_best_ten_in_order(model: FaqModel) -> None:
    answer = post(model, "/v1/match", {"question": QUESTION})
    MatchResponse.model_validate(answer)
    scores = [match["score"] for match in answer["matches"]]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    assert answer["model"] == {"name": "faq", "version": model.info.version}
    first = answer["matches"][0]
    assert set(first) == {"question_id", "answer_id", "title", "url", "score"}
    assert first["answer_id"] == first["question_id"] + 500_000
    assert first["url"] == f"https://example.org/q/{first['question_id']}"


def test_top_k_and_min_score_limit_the_matches(model: FaqModel) -> None:
    everything = post(model, "/v1/match", {"question": QUESTION, "top_k": 50})["matches"]
    assert len(everything) == 31
    third = everything[2]["score"]
    request = {"question": QUESTION, "top_k": 50, "min_score": third}
    assert post(model, "/v1/match", request)["matches"] == everything[:3]
    assert post(model, "/v1/match", {"question": QUESTION, "top_k": 2})["matches"] == everything[:2]
    assert post(model, "/v1/match", {"question": QUESTION, "min_score": 1})["matches"] == []


def test_answers_come_on_request(model: FaqModel, small: Small) -> None:
    request = {"question": QUESTION, "top_k": 1, "include_answers": True}
    match = post(model, "/v1/match", request)["matches"][0]
    original = next(each for each in small.data.originals if each.id == match["question_id"])
    assert (match["text"], match["answer"]) == (original.html, original.answer_html)


def test_unknown_words_are_flagged(model: FaqModel) -> None:
    assert post(model, "/v1/match", {"question": "qqzx wvkj"})["low_signal"] is True


def test_score_has_the_predecessors_shape(model: FaqModel) -> None:
    answer = post(model, "/score", {"input": QUESTION})
    ScoreResponse.model_validate(answer)
    rows, timing = answer["result"]
    assert timing == "Computed in 12.50 ms"
    assert len(rows) == 31
    best = post(model, "/v1/match", {"question": QUESTION})["matches"][0]
    assert rows[0] == [best["question_id"], best["answer_id"], best["score"]]
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/match", {}),
        ("/v1/match", {"question": ""}),
        ("/v1/match", {"question": " \n\t"}),
        ("/v1/match", {"question": "x" * 20_001}),
        ("/v1/match", {"question": 7}),
        ("/v1/match", {"question": "q", "top_k": 0}),
        ("/v1/match", {"question": "q", "top_k": 51}),
        ("/v1/match", {"question": "q", "top_k": True}),
        ("/v1/match", {"question": "q", "min_score": 1.5}),
        ("/v1/match", {"question": "q", "topk": 3}),
        ("/score", {}),
        ("/score", {"input": None}),
        ("/score", {"input": "  "}),
    ],
)
def test_what_does_not_fit_is_a_422_without_the_users_text(
    model: FaqModel, path: str, document: Mapping[str, Any]
) -> None:
    with pytest.raises(Problem) as caught:
        post(model, path, document)
    assert caught.value.status == 422
    assert "xxxx" not in str(caught.value.errors)


def test_the_longest_question_is_scored(model: FaqModel) -> None:
    assert post(model, "/v1/match", {"question": ("sort an array " * 2_000)[:20_000]})["matches"]
