"""Runs tests blind to resources of a type: a test that still passes does not look at them.

`python -m tests.infra.blindfold` reads from its input, as JSON, the types to hide by test, and prints
those that each test missed. The tests run in a process of their own, with pytest's own fixtures; the
resources are hidden where recordings are read, so that it does not matter when these were made.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from infra.recording import Recorded, Recording
from tests.infra.feature_table import is_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class _Seen:
    """The resources of a recording, less those of one type."""

    def __init__(self, hidden: str) -> None:
        self._hidden = hidden

    def __get__(self, recording: Recording, owner: type) -> tuple[Recorded, ...]:
        every: tuple[Recorded, ...] = vars(recording)["resources"]
        return tuple(one for one in every if not is_of(one, self._hidden))

    def __set__(self, recording: Recording, resources: tuple[Recorded, ...]) -> None:
        vars(recording)["resources"] = resources


@contextlib.contextmanager
def blind_to(type_: str) -> Iterator[None]:
    """Every recording is read without the resources of a type, as docs/features.md writes it."""
    Recording.resources = _Seen(type_)  # type: ignore[assignment]
    try:
        yield
    finally:
        del Recording.resources


class Blindfold:
    """A pytest plugin.

    Attributes:
        missed: by test, the types that it was told to notice and did not miss.
    """

    def __init__(self, wanted: Mapping[str, list[str]]) -> None:
        self.missed = {test: set(types) for test, types in wanted.items()}

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        path, _, name = item.nodeid.partition("[")[0].partition("::")
        test = f"{Path(path).relative_to(HERE.relative_to(ROOT))}::{name}"
        for type_ in sorted(self.missed[test]):
            with blind_to(type_):
                reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if any(report.failed for report in reports):
                self.missed[test].discard(type_)
        return True


def main() -> None:
    wanted: dict[str, Any] = json.load(sys.stdin)
    blindfold = Blindfold(wanted)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = pytest.main(
            ["-q", "-p", "no:cacheprovider", *(str(HERE / test) for test in wanted)],
            plugins=[blindfold],
        )
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        sys.exit(printed.getvalue())
    json.dump({test: sorted(types) for test, types in blindfold.missed.items()}, sys.stdout)


if __name__ == "__main__":
    main()
