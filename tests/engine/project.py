"""A copy of the Pulumi project whose providers are fake and whose state is in a folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROVIDERS = ("azure-native", "kubernetes", "docker")
COMMAND_SECONDS = 240


@dataclass(frozen=True)
class Project:
    """The copy, and how to run `pulumi` in it."""

    folder: Path
    program: str

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """The combined output of one command, which must end with the expected status."""
        environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "only for tests",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        ended = subprocess.run(
            [self.program, *arguments, "--non-interactive"],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if expect is not None:
            assert ended.returncode == expect, f"pulumi {' '.join(arguments)}\n{ended.stdout}"
        return ended.stdout

    def add_stack(self, name: str, settings_file: Path, **changes: Any) -> None:
        """Make a stack of a settings file, with some keys changed."""
        content = yaml.safe_load(settings_file.read_text(encoding="utf-8"))
        for key, value in changes.items():
            content["config"][f"realtime-scoring:{key}"] = value
        text = yaml.safe_dump(content)
        self.run("stack", "init", name)
        stack_file = self.folder / f"Pulumi.{name}.yaml"
        salt = yaml.safe_load(stack_file.read_text(encoding="utf-8")) if stack_file.exists() else {}
        merged = {**yaml.safe_load(text), **{k: v for k, v in salt.items() if k != "config"}}
        stack_file.write_text(yaml.safe_dump(merged), encoding="utf-8")

    def state(self, stack: str) -> dict[str, Any]:
        """The stack's state, as it is stored."""
        return json.loads(self.run("stack", "export", "--stack", stack))


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
