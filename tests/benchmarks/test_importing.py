"""The import's benchmark imports real dumps, and keeps what it measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import importing


def test_each_form_of_each_size_is_imported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "KEPT", tmp_path)
    monkeypatch.setattr(importing, "SIZES", {"XML": (6,), "7z, bzip2": (6,)})
    first = importing.run()
    assert [row[0] for row in first.tables[0].rows] == ["XML", "7z, bzip2"]
    again: list[tuple[int, list[str]]] = []
    monkeypatch.setattr(importing, "measure_forms", lambda *which: again.append(which))
    assert importing.run() == first
    assert not again
    (tmp_path / "importing" / "6-7z-bzip2.json").unlink()
    with pytest.raises(FileNotFoundError):
        importing.run()
    assert again == [(6, ["7z, bzip2"])]
