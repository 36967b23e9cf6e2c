"""What CI is told to build."""

from __future__ import annotations

import pytest

from infra.image_build import main, outputs
from infra.images import BuildSpec


def test_the_outputs_are_those_of_a_github_actions_step() -> None:
    written = outputs(BuildSpec("torch", {"ARCHITECTURE": "resnet152", "WEIGHTS": "DEFAULT"}))
    assert written.splitlines() == [
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
    assert capsys.readouterr().out.startswith(f"target={target}\n")


def test_an_unknown_stack_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prd", "faq"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_workload_is_a_wrong_command_line() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dev", "video"])
    assert ended.value.code == 2
