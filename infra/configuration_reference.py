"""Writes docs/configuration.md and Pulumi.yaml from the settings' models.

``python -m infra.configuration_reference --write`` writes both; ``--check``, the default, says
whether they are as the models are, and exits with 1 where they are not.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.sections.words import is_list, is_optional, is_secret, section_of, words_of
from infra.settings import PROJECT, Settings

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "configuration.md"
PROJECT_FILE = ROOT / "Pulumi.yaml"

INTRODUCTION = f"""\
# Configuration

Every setting of a stack, written by `python -m infra.configuration_reference --write` from the
models in `infra/settings.py` and `infra/sections/`; a test says when this page is stale.

A stack's settings stand in `Pulumi.<stack>.yaml`, under the project's name:

```yaml
config:
  {PROJECT}:environment: dev
  {PROJECT}:cluster:
    cpu_pool:
      max_nodes: 5
```

or are set from the command line: `pulumi config set --path {PROJECT}:cluster.cpu_pool.max_nodes 5`.
A secret is set with `--secret` besides, and stands in the file encrypted. A stack file with mistakes
is refused before anything is declared, with one line for each mistake.

`python -m infra.plan STACK` shows what a stack file declares, without Pulumi and without Azure.
What `Pulumi.dev.yaml`, `Pulumi.prod.yaml` and `Pulumi.local.yaml` leave out has the default below.
"""

PROJECT_HEAD = f"""\
# Written by `python -m infra.configuration_reference --write` from infra/settings.py, which says
# more than this schema can: docs/configuration.md has every key inside these.
name: {PROJECT}
description: Two model-serving endpoints on Azure Kubernetes Service, from one typed stack
runtime:
  name: python
  options:
    toolchain: pip
    # Relative to this file.
    virtualenv: .venv
main: infra/
"""


def reference() -> str:
    """The text of docs/configuration.md."""
    return INTRODUCTION + "".join(_tables("", Settings))


def project_file() -> str:
    """The text of Pulumi.yaml.

    Every key has a default there, without which Pulumi would ask for it in each stack file.
    """
    schema = {name: _declared(field) for name, field in Settings.model_fields.items()}
    text = yaml.safe_dump({"config": schema}, sort_keys=False, allow_unicode=True, width=100)
    return PROJECT_HEAD + text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or say whether they are stale."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.configuration_reference", description=__doc__
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say whether the files are stale")
    what.add_argument("--write", action="store_true", help="write the files")
    chosen = parser.parse_args(arguments)
    stale = 0
    for path, text in ((REFERENCE, reference()), (PROJECT_FILE, project_file())):
        if chosen.write:
            path.write_text(text, encoding="utf-8")
        elif (difference := stale_lines(path, text)) != "":
            stale = 1
            print(
                f"{path.name} is stale; run {parser.prog} --write:\n{difference}", file=sys.stderr
            )
    return stale


def stale_lines(path: Path, text: str) -> str:
    """What differs between a file and the text that it should have; empty where nothing does."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        present.splitlines(), text.splitlines(), path.name, "models", lineterm="", n=0
    )
    return "\n".join(lines)


def _tables(path: str, section: type[BaseModel]) -> Iterator[str]:
    """One table for each group of keys, outer groups first."""
    heading = f"`{path}`" if path else "Top level"
    described = (section.__doc__ or "").strip().splitlines()[0]
    yield f"\n## {heading}\n\n{described}\n\n"
    yield "| Key | Allowed | Default | What it is |\n|---|---|---|---|\n"
    for name, field in section.model_fields.items():
        yield f"| `{name}` | {_cell(_allowed(field, path, name))} | {_default(field)} | "
        yield f"{_cell(field.description or '')} |\n"
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None:
            own = f"{path}.{name}" if path else name
            yield from _tables(f"{own}[]" if is_list(field.annotation) else own, inner)


def _allowed(field: FieldInfo, path: str, name: str) -> str:
    section = section_of(field.annotation)
    own = f"{path}.{name}" if path else name
    if section is not None:
        words = "a list of groups" if is_list(field.annotation) else "a group"
        place = f"{own}[]" if is_list(field.annotation) else own
        words = f"{words}, see [`{place}`](#{_anchor(place)})"
    else:
        words = words_of(field)
    return f"{words}, or null" if is_optional(field.annotation) else words


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if section_of(field.annotation) is not None and field.default is PydanticUndefined:
        return "its defaults" if not _set_by_factory(field) else f"`{_set_by_factory(field)}`"
    value = field.default
    if value is None:
        return "null"
    if value == () or value == {}:
        return "none"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _set_by_factory(field: FieldInfo) -> str:
    """What a group's factory sets otherwise than the group's own defaults, as JSON."""
    made = field.get_default(call_default_factory=True)
    changed = (
        made.model_dump(mode="json", exclude_defaults=True) if isinstance(made, BaseModel) else {}
    )
    return json.dumps(changed) if changed else ""


def _declared(field: FieldInfo) -> dict[str, Any]:
    """A key as Pulumi.yaml declares it."""
    described = field.description or ""
    if is_list(field.annotation):
        items = "object" if section_of(field.annotation) else "string"
        return {
            "type": "array",
            "items": {"type": items},
            "description": described,
            "default": list(field.get_default() or ()),
        }
    if section_of(field.annotation) is not None or isinstance(field.default, dict):
        return {"type": "object", "description": described, "default": {}}
    if is_secret(field.annotation):
        raise TypeError("Pulumi.yaml can give a secret no default")
    return {"type": "string", "description": described, "default": field.default or ""}


def _anchor(place: str) -> str:
    """The anchor that GitHub gives a heading."""
    return "".join(c for c in place.lower() if c.isalnum() or c in "_-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
