"""What CI is told to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra import plan
from infra.image_build import main, outputs
from infra.images import BuildSpec


def test_the_outputs_are_those_of_a_github_actions_step() -> None:
    spec = BuildSpec("torch", {"ARCHITECTURE": "resnet152", "WEIGHTS": "DEFAULT"})
    assert outputs(spec, "scoring-resnet").splitlines() == [
        "repository=scoring-resnet",
        "target=torch",
        "arguments<<END_OF_ARGUMENTS",
        "ARCHITECTURE=resnet152",
        "WEIGHTS=DEFAULT",
        "END_OF_ARGUMENTS",
    ]


@pytest.mark.parametrize(("stack", "target"), [("dev", "onnxruntime"), ("prod", "torch")])
def test_ci_builds_what_the_stack_would(
    stack: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([stack, "resnet"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"repository=scoring-resnet\ntarget={target}\n")


def test_a_refused_stack_is_told_as_the_plan_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("config:\n  realtime-scoring:layers: []\n", encoding="utf-8")
    for stack in ("prd", str(wrong)):
        assert main([stack, "faq"]) == 1
        ours = capsys.readouterr()
        assert plan.main([stack]) == 1
        assert ours.err.replace("infra.image_build", "infra.plan") == capsys.readouterr().err
        assert ours.out == ""


def test_an_unknown_workload_is_a_wrong_command_line() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dev", "video"])
    assert ended.value.code == 2
