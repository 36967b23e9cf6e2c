"""What the pages show can be read by what it is for, and the commands that they name are there."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from services.launch import ROOT
from tests.docs.pages import Block, blocks

SHELL = list(blocks("sh"))
MODULE = re.compile(r"(?:python3?|\.venv/bin/python) -m ([a-z_][\w.]*)((?: +[^#\n;|&]+)?)")
TARGET = re.compile(r"^(?:\s*\$ )?make +([a-z][\w-]*)", re.MULTILINE)
OURS = ("infra", "policies", "services", "client", "benchmarks")


def ids(block: Block) -> str:
    return str(block)


@pytest.mark.parametrize("block", list(blocks("json")), ids=ids)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=ids)
def test_yaml_is_yaml(block: Block) -> None:
    assert list(yaml.safe_load_all(block.text))


@pytest.mark.parametrize("block", list(blocks("python")), ids=ids)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", SHELL, ids=ids)
def test_shell_is_shell(block: Block) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_make_targets_are_in_the_makefile() -> None:
    known = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(target, str(block)) for block in SHELL for target in TARGET.findall(block.text)}
    assert {each for each in named if each[0] not in known} == set()
    assert {"demo", "test", "plan"} <= {target for target, _ in named}


def commands() -> dict[tuple[str, ...], set[str]]:
    """The flags that the pages use, by module and subcommand."""
    found: dict[tuple[str, ...], set[str]] = {}
    for block in SHELL:
        text = block.text.replace("\\\n", " ")
        for module, rest in MODULE.findall(text):
            if module.split(".")[0] not in OURS:
                continue
            words = shlex.split(rest, comments=True)
            subcommand = tuple(
                itertools.takewhile(lambda word: re.fullmatch(r"[a-z][a-z_-]*", word), words)
            )
            flags = {word.split("=")[0] for word in words if word.startswith("--")}
            found.setdefault((module, *subcommand), set()).update(flags)
    return found


@functools.cache
def usage(*command: str) -> str:
    module, *rest = command
    shown = subprocess.run(
        [sys.executable, "-m", module, *rest, "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, f"{' '.join(command)} --help: {shown.stderr}"
    return shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "flags"),
    [(command, sorted(flags)) for command, flags in sorted(commands().items())],
    ids=lambda each: " ".join(each),
)
def test_commands_know_the_flags_that_the_pages_use(
    command: tuple[str, ...], flags: list[str]
) -> None:
    shown = usage(*command)
    assert {flag for flag in flags if not re.search(rf"{flag}\b", shown)} == set()
