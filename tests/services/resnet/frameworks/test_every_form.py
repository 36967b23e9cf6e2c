"""A network gives the same answers in every form, and one that cannot be served is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from services.launch import running
from services.resnet.__main__ import run
from services.resnet.app import load
from services.resnet.model import ResnetModel
from services.resnet.settings import ResnetSettings
from services.resnet.top_classes import softmax, top_classes
from tests.services.resnet.frameworks.small_network import (
    CLASSES,
    FORMS,
    NEED_TENSORFLOW,
    Parts,
    expected_logits,
    picture,
    write_parts,
)

PICTURES = [picture(seed) for seed in range(5)]

every_form = pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, marks=[pytest.mark.tensorflow] if form in NEED_TENSORFLOW else [])
        for form in FORMS
    ],
)


@pytest.fixture(scope="module")
def parts_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Parts]:
    """What `package` is given, written once for each form."""
    written: dict[str, Parts] = {}

    def parts(form: str) -> Parts:
        if form not in written:
            written[form] = write_parts(form, tmp_path_factory.mktemp(form) / "parts")
        return written[form]

    return parts


@pytest.fixture(scope="module")
def model_of(parts_of: Callable[[str], Parts]) -> Callable[[str], Path]:
    """The model folder of a form, packaged by the command."""

    def model(form: str) -> Path:
        parts = parts_of(form)
        folder = parts.network.parent.parent / "model"
        if not folder.exists():
            assert run(parts.arguments(folder)) == 0
        return folder

    return model


def loaded(folder: Path, form: str) -> ResnetModel:
    return load(ResnetSettings(model=folder, backend=FORMS[form][0], max_batch=4, threads=1))


@every_form
def test_the_answers_are_those_of_the_network_in_numpy(
    model_of: Callable[[str], Path], form: str
) -> None:
    model = loaded(model_of(form), form)
    model.warm_up()
    answers = model.predict([model.preprocess(each) for each in PICTURES])
    expected = softmax(np.stack([expected_logits(each) for each in PICTURES]))
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    for answer, right in zip(answers, expected, strict=True):
        assert top_classes(answer, CLASSES).tolist() == top_classes(right, CLASSES).tolist()
    # Not all pictures look alike to it, or the comparison would say nothing.
    assert np.ptp(expected, axis=0).max() > 0.01


@every_form
def test_a_picture_gives_the_same_answer_alone_and_among_others(
    model_of: Callable[[str], Path], form: str
) -> None:
    model = loaded(model_of(form), form)
    items = [model.preprocess(each) for each in PICTURES]
    alone = [model.predict([item])[0] for item in items]
    np.testing.assert_allclose(model.predict(items), alone, atol=1e-6)


@every_form
def test_it_says_which_library_ran_it_and_where(model_of: Callable[[str], Path], form: str) -> None:
    model = loaded(model_of(form), form)
    assert model.info.device == ""
    model.warm_up()
    assert model.info.backend.startswith(f"{FORMS[form][0]}-cpu")
    assert model.info.device == "cpu"


@every_form
def test_auto_takes_what_the_folder_has(model_of: Callable[[str], Path], form: str) -> None:
    model = load(ResnetSettings(model=model_of(form), device="cpu", threads=1))
    assert model.info.backend.startswith(FORMS[form][0])


@every_form
def test_a_damaged_file_is_one_line_and_leaves_nothing_behind(
    parts_of: Callable[[str], Parts],
    form: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = parts_of(form)
    network = tmp_path / good.network.name
    if good.network.is_dir():
        network.mkdir()
        (network / "saved_model.pb").write_bytes(b"\xff\x00no graph")
    else:
        content = good.network.read_bytes()
        network.write_bytes(content[: len(content) // 2])
    broken = Parts(network, good.labels, good.preprocessing)
    assert run(broken.arguments(tmp_path / "model")) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert network.name.partition(".")[0] in line
    assert sorted(path.name for path in tmp_path.iterdir()) == [network.name]


@every_form
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layout": "other"}, "check crop and layout"),
        ({"channels": "GBR"}, "preprocessing.json: channels"),
        ({"divisor": 0}, "preprocessing.json: divisor"),
        ({"mean": [0.5]}, "preprocessing.json: mean"),
    ],
)
def test_preprocessing_that_does_not_fit_is_one_line(
    parts_of: Callable[[str], Parts],
    form: str,
    changed: dict[str, object],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = parts_of(form)
    document = json.loads(good.preprocessing.read_text())
    if changed == {"layout": "other"}:
        changed = {"layout": "NCHW" if form in NEED_TENSORFLOW else "NHWC"}
    path = tmp_path / "preprocessing.json"
    path.write_text(json.dumps(document | changed))
    assert run(Parts(good.network, good.labels, path).arguments(tmp_path / "model")) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert said in line
    assert not (tmp_path / "model").exists()


@every_form
def test_labels_of_another_network_and_the_wrong_kind_of_output_are_one_line(
    parts_of: Callable[[str], Parts],
    form: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = parts_of(form)
    labels = tmp_path / "labels.txt"
    labels.write_text("one\ntwo\n")
    assert run(Parts(good.network, labels, good.preprocessing).arguments(tmp_path / "model")) == 1
    assert "gives [10] values for a picture, and there are 2 labels" in capsys.readouterr().err
    assert run([*good.arguments(tmp_path / "model"), "--output", "probabilities"]) == 1
    assert "gives logits; say --output logits" in capsys.readouterr().err


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("keras", marks=pytest.mark.tensorflow),
        pytest.param("saved_model", marks=pytest.mark.tensorflow),
        "torch.export",
    ],
)
def test_it_is_served(model_of: Callable[[str], Path], form: str, tmp_path: Path) -> None:
    options = ("--model", model_of(form), "--backend", FORMS[form][0], "--threads", "1")
    with running("services.resnet", *options, log_folder=tmp_path) as service:
        answer = httpx.post(f"{service.url}/v1/classify?top_k=3", content=PICTURES[0], timeout=30)
        metrics = httpx.get(f"{service.metrics_url}/metrics", timeout=10).text
    right = softmax(expected_logits(PICTURES[0]))
    best = top_classes(right, 3).tolist()
    assert [each["class_id"] for each in answer.json()["predictions"]] == best
    scores = [each["score"] for each in answer.json()["predictions"]]
    assert scores == pytest.approx(right[best].tolist(), abs=1e-4)
    (info,) = [line for line in metrics.splitlines() if line.startswith("modelsvc_model_info{")]
    assert f'backend="{FORMS[form][0]}-cpu-fp32"' in info
    assert 'device="cpu"' in info
