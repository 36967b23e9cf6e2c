"""docs/operations.md: what it tells to do agrees with what the stacks declare."""

from __future__ import annotations

import re

from infra.planning.stacks import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_first_deployment_looks_before_it_makes_anything() -> None:
    steps = re.findall(r"^\d+\. \*\*(.+?)\*\*", PAGE, re.MULTILINE)
    assert steps.index("Ask whether it will do.") < steps.index("Bring it up")
    assert "`make doctor STACK=dev`" in PAGE
    assert "`make cost STACK=dev`" in PAGE


def test_commands_of_the_page_name_files_that_exist() -> None:
    for name in re.findall(r"`(?:\./)?((?:infra|tests|services|\.github)/[\w./-]+)`", PAGE):
        assert (ROOT / name).exists(), name
