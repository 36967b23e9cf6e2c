"""`python -m infra.image_making`: what it refuses; tests/images sees it build."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.image_making.__main__ import main


@pytest.mark.parametrize("arguments", [["prd"], ["no/such.yaml"]])
def test_an_unknown_stack_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert arguments[0].rpartition("/")[2] in capsys.readouterr().err


def test_an_unknown_workload_is_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dev", "video"])
    assert ended.value.code == 2
    assert "faq, resnet, web" in capsys.readouterr().err


def test_without_docker_nothing_is_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["dev", "--into", str(tmp_path / "images")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "images").exists()


def test_a_folder_without_a_model_is_said_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "faq").mkdir()
    (tmp_path / "faq" / "manifest.json").write_text("{}")
    arguments = ["dev", "faq", "resnet", "--models", str(tmp_path)]
    assert main([*arguments, "--into", str(tmp_path / "images")]) == 1
    printed = capsys.readouterr().err
    assert f"{tmp_path / 'resnet'} holds no model" in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "images").exists()
