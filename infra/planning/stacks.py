"""Which stack a plan is of: one of the repository's, or any settings file."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.mistakes import SettingsRefused

if TYPE_CHECKING:
    from infra.recording import Recording
    from infra.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
_STACK_FILE = re.compile(r"Pulumi\.(?P<stack>[A-Za-z0-9_.-]+)\.ya?ml")


class StackRefused(Exception):
    """There is no such stack, its file has mistakes, or it cannot be planned: a line a reason."""


@dataclass(frozen=True)
class StackFile:
    """A stack's name and the file with its settings."""

    stack: str
    path: Path

    @property
    def shown(self) -> str:
        """The path as messages name it."""
        return str(self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path)


def find_stack(wanted: str, root: Path = ROOT) -> StackFile:
    """The file of a stack, by the stack's name or by the file's own path.

    Raises:
        StackRefused: when there is neither; the message names the stacks there are.
    """
    if "/" in wanted or wanted.endswith((".yaml", ".yml")):
        return StackFile(_stack_of(Path(wanted)), Path(wanted))
    known = {_stack_of(path): path for path in sorted(root.glob("Pulumi.*.yaml"))}
    if wanted in known:
        return StackFile(wanted, known[wanted])
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    question = f"; did you mean {near[0]}?" if near else ""
    names = ", ".join(known) or "none"
    raise StackRefused(f'there is no stack "{wanted}"; known: {names}{question}')


def read_stack(wanted: str, *, program: str) -> tuple[StackFile, Settings]:
    """A stack that a command was asked for, with its settings.

    Args:
        wanted: the stack's name, or the path of a settings file.
        program: what was started, with which the message begins where there is no such stack.

    Raises:
        StackRefused: when there is no such stack, or with a line for each mistake in its file.
    """
    from infra.stack_file import read_stack_file

    try:
        stack = find_stack(wanted)
    except StackRefused as unknown:
        raise StackRefused(f"{program}: {unknown}") from None
    try:
        return stack, read_stack_file(stack.path)
    except SettingsRefused as refused:
        lines = str(refused).splitlines()
        raise StackRefused("\n".join(f"{stack.shown}: {line}" for line in lines)) from None


def record_stack(stack: StackFile, settings: Settings, *, name: str | None = None) -> Recording:
    """What the program declares for a stack that a command was asked for.

    Args:
        stack: the stack.
        settings: its settings.
        name: the stack's name in the recording; None for its own.

    Raises:
        StackRefused: when it cannot be planned.
    """
    from infra.recording import NotPlannable, record

    try:
        return record(settings, stack=name or stack.stack)
    except NotPlannable as refused:
        raise StackRefused(f"{stack.shown}: {refused}") from None


def _stack_of(path: Path) -> str:
    """``dev`` of ``Pulumi.dev.yaml``; else the file's name without its ending."""
    named = _STACK_FILE.fullmatch(path.name)
    return named["stack"] if named else path.stem
