"""The commands that manage a key file."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.serving.__main__ import run
from services.serving.api_keys import (
    ApiKey,
    KeyFile,
    KeyRing,
    key_hash,
    read_key_file,
    write_key_file,
)
from tests.services.serving.live_service import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the keys go; there is no file yet."""
    return tmp_path / "keys.json"


def keys(command: str, file: Path, *options: str | Path) -> int:
    return run(["keys", command, "--file", str(file), *map(str, options)])


def test_a_new_key_is_printed_once_and_opens_the_service(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keys("add", file, "--name", "app", "--scopes", "faq", "resnet") == 0

    key = capsys.readouterr().out.strip()
    assert key.startswith("rts_")
    assert key not in file.read_text()
    for scope in ("faq", "resnet"):
        assert KeyRing(file, scope).authenticate({"X-API-Key": key}).name == "app"


def test_a_new_key_can_go_to_a_file_for_its_owner_only(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "app.key"
    assert keys("add", file, "--name", "app", "--scopes", "faq", "--output", output) == 0

    assert capsys.readouterr().out == ""
    assert output.stat().st_mode & 0o777 == 0o600
    assert read_key_file(file).keys[0].sha256 == key_hash(output.read_text().strip())


def test_an_existing_output_file_is_not_overwritten(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "precious"
    output.write_text("precious")

    assert keys("add", file, "--name", "app", "--scopes", "faq", "--output", output) == 1
    assert output.read_text() == "precious"
    assert not file.exists()
    assert "File exists" in capsys.readouterr().err


def test_the_list_shows_names_scopes_and_expiry_but_no_hash(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys("add", file, "--name", "one", "--scopes", "resnet", "faq")
    keys("add", file, "--name", "two", "--scopes", "faq", "--expires-days", "30")
    capsys.readouterr()

    assert keys("list", file) == 0

    text = capsys.readouterr().out
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert text.splitlines()[0] == "one\tfaq resnet\tnever expires"
    assert text.splitlines()[1].startswith(f"two\tfaq\texpires {day}")
    assert not any(entry.sha256 in text for entry in read_key_file(file).keys)


def test_an_expired_key_is_listed_as_such(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    past = datetime(2020, 1, 2, tzinfo=UTC)
    entry = ApiKey(name="old", sha256="0" * 64, scopes=frozenset({"faq"}), expires=past)
    write_key_file(file, KeyFile(keys=(entry,)))
    keys("list", file)

    assert capsys.readouterr().out == "old\tfaq\texpired 2020-01-02T00:00:00+00:00\n"


def test_a_removed_key_is_gone_and_the_others_stay(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys("add", file, "--name", "one", "--scopes", "faq")
    keys("add", file, "--name", "two", "--scopes", "faq")

    assert keys("remove", file, "--name", "one") == 0
    assert [entry.name for entry in read_key_file(file).keys] == ["two"]


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["add", "--name", "one", "--scopes", "faq"], 1, "there is a key for one already"),
        (["remove", "--name", "nobody"], 1, "there is no key for nobody"),
        (["add", "--name", "a b", "--scopes", "faq"], 2, "--name (KEYS_NAME)"),
        (["add", "--name", "two"], 2, "--scopes (KEYS_SCOPES)"),
        (["add", "--name", "two", "--scopes", "faq,resnet"], 2, "--scopes (KEYS_SCOPES)"),
        (["add", "--name", "two", "--scopes", "faq", "--expires-days", "-1"], 2, "--expires-days"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    file: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    line: str,
) -> None:
    keys("add", file, "--name", "one", "--scopes", "faq")
    before = file.read_text()
    capsys.readouterr()

    assert keys(arguments[0], file, *arguments[1:]) == status
    error = capsys.readouterr().err
    assert line in error
    assert len(error.splitlines()) == 1
    assert file.read_text() == before


@pytest.mark.parametrize("command", ["list", "remove"])
def test_a_missing_file_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    options = ["--name", "x"] if command == "remove" else []

    assert keys(command, file, *options) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_broken_file_is_left_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("{broken")

    assert keys("add", file, "--name", "one", "--scopes", "faq") == 1
    assert file.read_text() == "{broken"
    assert capsys.readouterr().out == ""


def test_two_commands_at_once_lose_no_key(file: Path) -> None:
    command = [sys.executable, "-m", "services.serving", "keys", "add", "--file", str(file)]
    running = [
        subprocess.Popen(
            [*command, "--name", f"key-{number}", "--scopes", "faq"],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )
        for number in range(4)
    ]  # fmt: skip

    assert [each.wait(30) for each in running] == [0] * 4
    assert len(read_key_file(file).keys) == 4


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["locks"], 2), (["--help"], 0)])
def test_only_keys_are_managed_here(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == status
