"""A flag and an environment variable for every setting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.serving.command_line import Command, CommandFailed, main
from tests.services.serving.live_service import LEVER, ROOT


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TOOL_", frozen=True)

    count: int = Field(3, ge=1, description="how many, 100 % of them")
    ratio: float = 0.5
    label: str = "none"
    folder: Path = Path("here")
    loud: bool = True
    style: Literal["plain", "rich"] = "plain"
    since: date | None = None
    names: list[str] = ["a"]
    token: SecretStr = SecretStr("")
    extras: dict[str, int] = Field(default_factory=lambda: {"x": 1})


class Strict(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="STRICT_")

    data: Path
    count: int = 1

    @model_validator(mode="after")
    def small(self) -> Strict:
        if self.count > 10:
            raise ValueError("Too many for this folder")
        return self


Run = Callable[..., tuple[int, list[Settings]]]


@pytest.fixture
def run() -> Run:
    """Run ``tool go`` with arguments and return the exit status and the settings it got."""

    def run(*arguments: str) -> tuple[int, list[Settings]]:
        seen: list[Settings] = []
        commands = [
            Command("other", "another one", Strict, lambda _: None),
            Command("go", "go", Settings, seen.append),
            Command("last", "and another", Strict, lambda _: None),
        ]
        return main("tool", "A tool.", commands, ["go", *arguments]), seen

    return run


VALUES = [
    ("count", "7", 7, "8", 8),
    ("ratio", "0.25", 0.25, "2", 2.0),
    ("label", "x y", "x y", "z", "z"),
    ("folder", "there", Path("there"), "/", Path("/")),
    ("style", "rich", "rich", "plain", "plain"),
    ("since", "2026-01-02", date(2026, 1, 2), "2025-01-02", date(2025, 1, 2)),
]


@pytest.mark.parametrize(("name", "text", "value", "other_text", "other_value"), VALUES)
def test_a_flag_wins_over_the_environment_which_wins_over_the_default(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
    value: object,
    other_text: str,
    other_value: object,
) -> None:
    default = Settings.model_fields[name].default

    assert getattr(run()[1][0], name) == default
    monkeypatch.setenv(f"TOOL_{name.upper()}", other_text)
    assert getattr(run()[1][0], name) == other_value
    assert getattr(run(f"--{name}", text)[1][0], name) == value


def test_a_yes_or_no_setting_has_a_flag_for_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run()[1][0].loud is True
    assert run("--no-loud")[1][0].loud is False
    monkeypatch.setenv("TOOL_LOUD", "false")
    assert run()[1][0].loud is False
    assert run("--loud")[1][0].loud is True


def test_a_list_takes_several_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run()[1][0].names == ["a"]
    monkeypatch.setenv("TOOL_NAMES", '["b", "c"]')
    assert run()[1][0].names == ["b", "c"]
    assert run("--names", "d", "e")[1][0].names == ["d", "e"]
    assert run("--names", "d", "--names", "e", "f")[1][0].names == ["d", "e", "f"]


def test_underscores_become_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    class Dashed(BaseSettings):
        max_body_bytes: int = 1

    seen: list[Dashed] = []
    main("tool", "", [Command("go", "", Dashed, seen.append)], ["go", "--max-body-bytes", "5"])

    assert seen[0].max_body_bytes == 5


def test_help_shows_the_variable_and_the_default_of_every_setting(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")

    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "--count N how many, 100 % of them [TOOL_COUNT, default 3]" in text
    assert "[TOOL_RATIO, default 0.5]" in text
    assert "[TOOL_FOLDER, default here]" in text
    assert "--style plain|rich" in text
    assert "--loud, --no-loud" in text
    assert "[TOOL_SINCE]" in text
    assert "PydanticUndefined" not in text


def test_help_says_what_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    """The flag itself may be left out where the variable is set."""

    class Needing(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="TOOL_")

        scopes: list[str] = Field(description="what it opens")

    with pytest.raises(SystemExit):
        main("tool", "", [Command("go", "", Needing, list)], ["go", "--help"])

    text = " ".join(capsys.readouterr().out.split())
    assert "what it opens [TOOL_SCOPES (a JSON list), required]" in text


def test_no_secret_is_taken_from_a_flag(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--token", "hush")
    assert ended.value.code == 2
    monkeypatch.setenv("TOOL_TOKEN", "hush")
    assert run()[1][0].token.get_secret_value() == "hush"


def test_an_unknown_flag_points_to_the_help_that_lists_flags(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--no-such-flag")

    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error == "tool go: unrecognized arguments: --no-such-flag (see tool go --help)\n"


def test_a_flag_must_be_written_out(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--coun", "3")

    assert ended.value.code == 2


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["go", "--nonsense", "1"], ["go", "--count"]]
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main("tool", "", [Command("go", "", Settings, lambda _: None)], arguments)

    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_every_bad_value_has_a_line_that_names_flag_and_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOL_RATIO", "much")

    status, seen = run("--count", "0", "--style", "loud")

    lines = capsys.readouterr().err.splitlines()
    assert (status, seen, len(lines)) == (2, [], 3)
    assert any("--count (TOOL_COUNT): " in line for line in lines)
    assert any("--ratio (TOOL_RATIO): " in line for line in lines)
    assert all(line.startswith("tool go: ") for line in lines)


def test_a_bad_secret_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Guarded(BaseSettings):
        token: SecretStr = Field(SecretStr(""), max_length=3)

    monkeypatch.setenv("TOKEN", "hush-hush")

    assert main("tool", "", [Command("go", "", Guarded, lambda _: None)], ["go"]) == 2
    assert "hush" not in capsys.readouterr().err


def test_an_unreadable_list_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for unreadable in ("[not json", "b c", "b", "1"):
        monkeypatch.setenv("TOOL_NAMES", unreadable)
        assert run()[0] == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "TOOL_NAMES" in line
        assert unreadable not in line or unreadable in "TOOL_NAMES: must be a JSON list"


def test_a_missing_value_and_a_rule_between_values_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = [Command("go", "", Strict, lambda _: None)]

    assert main("tool", "", commands, ["go"]) == 2
    assert "--data (STRICT_DATA): field required" in capsys.readouterr().err
    assert main("tool", "", commands, ["go", "--data", ".", "--count", "11"]) == 2
    assert capsys.readouterr().err == "tool go: too many for this folder\n"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (CommandFailed("no model here"), 1, "tool go: no model here\n"),
        (FileNotFoundError(2, "No such file or directory", "x.tsv"), 1,
         "tool go: x.tsv: No such file or directory\n"),
        (OSError(28, "No space left on device"), 1, "tool go: No space left on device\n"),
        (KeyboardInterrupt(), 130, "tool go: interrupted\n"),
    ],
)  # fmt: skip
def test_a_failure_is_one_line_and_a_status(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Settings) -> None:
        raise error

    assert main("tool", "", [Command("go", "", Settings, fail)], ["go"]) == status
    assert capsys.readouterr().err == line


def test_success_is_status_0(run: Run) -> None:
    assert run()[0] == 0


def test_the_real_process_exits_with_status_2_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", LEVER, "serve", "--port", "0", "--max-batch", "none"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "lever serve: --port (LEVER_PORT): input should be greater than or equal to 1",
        "lever serve: --max-batch (LEVER_MAX_BATCH): input should be a valid integer, unable to "
        "parse string as an integer",
    ]


def test_ctrl_c_ends_a_real_command_with_status_130() -> None:
    script = (
        "import time, sys\n"
        "from pydantic_settings import BaseSettings\n"
        "from services.serving.command_line import Command, main\n"
        "def wait(_): print('waiting', flush=True); time.sleep(30)\n"
        "sys.exit(main('tool', '', [Command('wait', '', BaseSettings, wait)], ['wait']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)

    assert process.communicate(timeout=20)[1] == "tool wait: interrupted\n"
    assert process.returncode == 130
