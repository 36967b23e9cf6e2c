"""The two services as a client of a standard protocol knows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from services.launch import ROOT
from tests.conftest import Server

QUESTION = b"How can I remove the duplicate values from an array?"
PICTURE = ROOT / "services" / "web" / "static" / "examples" / "flower.jpg"


@dataclass(frozen=True)
class Served:
    """A service, its BYTES input, and a file with one row of it."""

    name: str
    input: str
    row: Path
    server: Server

    @property
    def address(self) -> str:
        return self.server.url.removeprefix("http://")


@pytest.fixture(params=["faq", "resnet"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Served:
    server: Server = request.getfixturevalue(f"{request.param}_server")
    if request.param == "resnet":
        return Served("resnet", "image", PICTURE, server)
    row = tmp_path / "question"
    row.write_bytes(QUESTION)
    return Served("faq", "question", row, server)
