"""The commands that the pages name are there, know their options, and name what is there."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys

import pytest

from services.launch import ROOT
from tests.docs.commands import Command, commands

OURS = ("infra", "policies", "services", "client", "benchmarks", "examples")
PYTHON = ("python", "python3", ".venv/bin/python", ".venvs/tensorflow/bin/python")
MAKEFILE = (ROOT / "Makefile").read_text()
HELPS = """
import contextlib, io, json, runpy, sys
shown = []
for module, *rest in json.load(sys.stdin):
    sys.argv = [module, *rest, "--help"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            shown.append((end.code or 0, said.getvalue()))
json.dump(shown, sys.stdout)
"""
MADE_ON_THE_WAY = {"digits.py"}
COBRA = ("kubectl", "pulumi", "helm", "kubelogin")
"""Programs that read all of their flags before they show their help."""


def test_commands_are_found_in_blocks_and_between_words() -> None:
    found = {str(command) for command in commands("make", "pulumi", "kubectl")}
    assert any(each.startswith("README.md") and each.endswith(" make demo") for each in found)
    assert any(each.endswith("pulumi stack output registry_login_server") for each in found)
    assert any(each.endswith("kubectl get hpa -n scoring") for each in found)


@pytest.mark.parametrize("command", commands("make"), ids=str)
def test_make_knows_the_target_and_the_variables(command: Command) -> None:
    _, *words = command.words
    for word in words:
        variable, is_given, _ = word.partition("=")
        if is_given:
            assert f"$({variable})" in MAKEFILE
        else:
            assert re.search(rf"^{word}:", MAKEFILE, re.MULTILINE)


def flags_of_modules() -> dict[tuple[str, ...], set[str]]:
    """The flags that the pages use, by module and subcommand."""
    found: dict[tuple[str, ...], set[str]] = {}
    for command in commands(*PYTHON):
        if command.words[1:2] != ("-m",) or command.words[2].split(".")[0] not in OURS:
            continue
        _, _, module, *words = command.words
        subcommand = itertools.takewhile(lambda word: re.fullmatch(r"[a-z][a-z_-]*", word), words)
        found.setdefault((module, *subcommand), set()).update(command.flags)
    return found


@pytest.mark.slow
def test_our_programs_know_the_flags_that_the_pages_use() -> None:
    flags = flags_of_modules()
    shown = helps(list(flags))
    unknown = {
        (*command, flag)
        for command, given in flags.items()
        for flag in given
        if not re.search(rf"{flag}\b", shown[command])
    }
    assert unknown == set()


def test_a_subcommand_that_is_none_is_noticed() -> None:
    with pytest.raises(AssertionError, match="invalid choice"):
        helps([("services.faq", "retrain")])


def helps(commands: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """What each prints with --help; in one process, since most of the time goes into imports."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", HELPS],
        cwd=ROOT, input=json.dumps(commands), capture_output=True, text=True, timeout=240,
        check=True,
    )  # fmt: skip
    shown = dict(zip(commands, json.loads(done.stdout), strict=True))
    assert {each: text for each, (code, text) in shown.items() if code != 0} == {}
    return {command: text for command, (_, text) in shown.items()}


@pytest.mark.parametrize(
    "command", [each for each in commands(*PYTHON) if each.words[1:2] != ("-m",)], ids=str
)
def test_scripts_that_python_is_given_are_there(command: Command) -> None:
    for script in command.words[1:2]:
        assert script in MADE_ON_THE_WAY or (ROOT / script).exists()


@pytest.mark.parametrize("program", COBRA)
def test_other_programs_know_their_flags_where_they_are_installed(program: str) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"`{program}` is not installed")
    refused = {
        str(command): said
        for command in {each.words: each for each in commands(program)}.values()
        if (said := refusal(found, command)) is not None
    }
    assert refused == {}


def refusal(program: str, command: Command) -> str | None:
    _, *arguments = command.words
    shown = subprocess.run(
        [program, *arguments, "--help"], capture_output=True, text=True, timeout=30, check=False
    )
    return shown.stderr if shown.returncode != 0 else None


def test_a_flag_that_a_program_does_not_have_is_noticed() -> None:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("`kubectl` is not installed")
    assert refusal(program, Command("", ("kubectl", "get", "pods", "--sort=.name"))) is not None
    assert refusal(program, Command("", ("kubectl", "lock", "NODE"))) is not None


@pytest.mark.parametrize(
    "command",
    [each for each in commands("kubectl") if "logs" in each.words and "-l" in each.words],
    ids=str,
)
def test_logs_of_several_pods_say_how_many_lines(command: Command) -> None:
    """Of pods that a label selects, kubectl shows ten lines each unless it is told otherwise."""
    assert "--tail" in command.flags
