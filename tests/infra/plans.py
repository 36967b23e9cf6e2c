"""Every stack file and matrix file, with what it declares; each is recorded once a session."""

from __future__ import annotations

import functools

from infra.planning.stacks import ROOT, find_stack
from infra.recording import Recording, record
from infra.settings import Settings
from infra.stack_file import read_stack_file

FILES = (
    *sorted(ROOT.glob("Pulumi.*.yaml")),
    *sorted((ROOT / "tests" / "infra" / "matrix").glob("*.yaml")),
)
NAMES = {find_stack(str(path)).stack: path for path in FILES}


@functools.cache
def settings_of(name: str) -> Settings:
    """The settings of a stack or matrix file, by its name."""
    return read_stack_file(NAMES[name])


@functools.cache
def recording_of(name: str) -> Recording:
    """What the stack declares."""
    return record(settings_of(name), stack=name)
