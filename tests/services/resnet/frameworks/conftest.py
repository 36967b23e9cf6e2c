"""One suite, two environments: what needs TensorFlow runs in .venvs/tensorflow (make test)."""

from __future__ import annotations

import importlib.util

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests to the environment that has their library."""
    if importlib.util.find_spec("tensorflow") is not None:
        return
    elsewhere = [item for item in items if item.get_closest_marker("tensorflow")]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
