"""Labels are read from a text file as its lines, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.resnet.labels import read_label_file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_label_a_line(encoding: str, tmp_path: Path) -> None:
    """Also with the mark that editors of Windows put before the first."""
    path = tmp_path / "labels.txt"
    path.write_text("Löwe\n\n snow leopard \n", encoding=encoding)
    assert [label.label for label in read_label_file(path)] == ["Löwe", "snow leopard"]
