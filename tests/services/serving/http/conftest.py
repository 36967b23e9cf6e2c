"""A scripted site behind a real listener, one for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.serving.http.scripted_site import ScriptedSite, Served, serving


@pytest.fixture
def site() -> ScriptedSite:
    return ScriptedSite()


@pytest.fixture
def served(site: ScriptedSite) -> Iterator[Served]:
    """That site, patient with its clients."""
    with serving(site) as served:
        yield served


@pytest.fixture
def frequent_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections whose patience is over are looked for often."""
    monkeypatch.setattr("services.serving.http.listener.SWEEP_SECONDS", 0.02)
