"""What the images' tests have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
LONGEST_SECONDS = 2400
"""The first test of a machine builds the base image and all others, or waits for the engine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))
