"""What the pages show can be read by what it is for."""

from __future__ import annotations

import ast
import json
import subprocess

import pytest
import yaml

from tests.docs.pages import Block, blocks

SHELL = list(blocks("sh"))


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
