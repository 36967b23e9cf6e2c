"""A copy of the Pulumi project whose providers are fake and whose state is in a folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.engine.fake_provider import DRIFT, LOCKS, TAKEN

ROOT = Path(__file__).parents[2]
MATRIX = ROOT / "tests" / "infra" / "matrix"
PROVIDERS = ("azure-native", "kubernetes", "docker")
COMMAND_SECONDS = 240
PREFIX = "realtime-scoring:"

SECRETS = {
    "web.api_key": "rts_only-for-tests-and-long-enough-0123456789abcdef",
    "registry.docker_hub.token": "dckr_pat_only-for-tests-0123456789",
    "web.sign_in.client_secret": "only-for-tests-client-secret",
}
"""What the settings files have encrypted, by path, as a stack of the tests gets it."""


@dataclass(frozen=True)
class Project:
    """The copy, and how to run `pulumi` in it.

    Attributes:
        folder: where it is.
        program: path of `pulumi`.
        printed: what the commands have printed so far, but for exports of the state.
    """

    folder: Path
    program: str
    printed: list[str] = field(default_factory=list[str])

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """The combined output of one command, which must end with the expected status."""
        ended = self._ended(arguments, subprocess.STDOUT)
        self.printed.append(ended.stdout)
        if expect is not None:
            assert ended.returncode == expect, f"pulumi {' '.join(arguments)}\n{ended.stdout}"
        return ended.stdout

    def read(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        ended = self._ended(arguments, subprocess.PIPE)
        self.printed.extend((ended.stdout, ended.stderr))
        assert ended.returncode == 0, f"pulumi {' '.join(arguments)}\n{ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    def shell(self, commands: str, tools: Path) -> str:
        """What a block of a page prints; ``tools`` stand before the programs of this machine."""
        path = os.pathsep.join((str(tools), str(Path(self.program).parent), os.environ["PATH"]))
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env={**self.environment, "PATH": path, "PULUMI_SKIP_CONFIRMATIONS": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        self.printed.extend((ended.stdout, ended.stderr))
        assert ended.returncode == 0, f"{commands}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Of every command: the state in the folder, and nothing from any network."""
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "only for tests",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            DRIFT: str(self.folder / "drift.json"),
            LOCKS: str(self.folder / "locks.json"),
            TAKEN: str(self.folder / "taken.json"),
        }

    def _ended(self, arguments: tuple[str, ...], errors: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def add_stack(self, name: str, settings_file: Path, **changes: Any) -> None:
        """Make a stack of a settings file, with some keys changed."""
        content = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
        content["config"].update({f"{PREFIX}{key}": value for key, value in changes.items()})
        secrets = [path for path, _ in encrypted(content["config"])]
        for path, group in list(encrypted(content["config"])):
            del group[path.rpartition(".")[2]]
        self.run("stack", "init", name)
        stack_file = self.stack_file(name)
        salt = yaml.safe_load(stack_file.read_text(encoding="utf-8")) if stack_file.exists() else {}
        stack_file.write_text(yaml.safe_dump({**salt, **content}), encoding="utf-8")
        for path in secrets:
            value = SECRETS[path]
            self.run("config", "set", "--stack", name, "--secret", "--path", path, value)

    def stack_file(self, stack: str) -> Path:
        return self.folder / f"Pulumi.{stack}.yaml"

    def changed(self, stack: str, changes: Mapping[str, Any]) -> tuple[str, str]:
        """Arguments for a run with some settings changed, by path, for that run alone."""
        content = yaml.safe_load(self.stack_file(stack).read_text(encoding="utf-8"))
        for path, value in changes.items():
            *groups, last = path.split(".")
            group = content["config"]
            for depth, key in enumerate(groups):
                group = group.setdefault(key if depth else f"{PREFIX}{key}", {})
            group[last if groups else f"{PREFIX}{last}"] = value
        settings_file = self.folder / "changed.yaml"
        settings_file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return ("--config-file", str(settings_file))

    def state(self, stack: str) -> dict[str, Any]:
        """The stack's state, as it is stored."""
        return json.loads(
            self._ended(("stack", "export", "--stack", stack), subprocess.PIPE).stdout
        )

    def inputs(self, stack: str, name: str) -> dict[str, Any]:
        """The inputs of a resource, as the state has them."""
        resources = self.state(stack)["deployment"]["resources"]
        (found,) = [one for one in resources if one["urn"].endswith(f"::{name}") and one["custom"]]
        return found["inputs"]

    def locks(self) -> list[str]:
        """What is locked in the cloud."""
        path = self.folder / "locks.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    def drift(self, properties: Mapping[str, Mapping[str, Any]]) -> None:
        """Have others change resources, by name."""
        (self.folder / "drift.json").write_text(json.dumps(properties), encoding="utf-8")

    def taken(self, *names: str) -> None:
        """Have these names of resources held by what was deleted before."""
        (self.folder / "taken.json").write_text(json.dumps(names), encoding="utf-8")

    def stored(self) -> str:
        """All that Pulumi wrote down: states, histories, checkpoints."""
        files = (path for path in (self.folder / "state").rglob("*") if path.is_file())
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the copy of the program."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def encrypted(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Encrypted values with what holds them, by their path."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key.removeprefix(PREFIX)
        if isinstance(inner, dict) and set(inner) == {"secure"}:
            yield at, value
        else:
            yield from encrypted(inner, at)


def make_project(folder: Path, program: str) -> Project:
    """Copy what `pulumi` reads, and put fake plugins in the place of the real ones."""
    for name in ("infra", "policies"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "services").symlink_to(ROOT / "services")
    (folder / "state").mkdir()
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    project["plugins"] = {
        "providers": [{"name": name, "path": str(folder / "plugins" / name)} for name in PROVIDERS]
    }
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    for name in PROVIDERS:
        _write_plugin(folder / "plugins" / name / f"pulumi-resource-{name}")
    return Project(folder, program)


def _write_plugin(path: Path) -> None:
    path.parent.mkdir(parents=True)
    plugin = Path(__file__).with_name("fake_provider.py")
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{plugin}" "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
