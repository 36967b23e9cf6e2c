from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from infra.planning.document import document
from infra.recording import Recording

ARM_CHECK = Path(__file__).parents[4] / "shared" / "arm" / "check"


@pytest.fixture(scope="session")
def azure_faults() -> Callable[[Recording], list[str]]:
    """What Azure's own type definitions say against a recording: misspelt, missing, out of bounds."""
    if not ARM_CHECK.exists():
        pytest.skip("Azure's type definitions are not on this machine")
    loader = SourceFileLoader("arm_check", str(ARM_CHECK))
    spec = importlib.util.spec_from_loader("arm_check", loader)
    assert spec is not None
    checker = importlib.util.module_from_spec(spec)
    loader.exec_module(checker)
    index = json.loads((ARM_CHECK.parent / "index.json").read_text())

    def faults(recording: Recording) -> list[str]:
        return [
            f"{resource['name']}: {fault}"
            for resource in document(recording.resources)
            if resource["type"].startswith("azure-native:")
            for fault in checker.check(resource, index)
            if not fault.startswith("not checked")  # there are no definitions of it
        ]

    return faults
