"""Which syft writes the bills of materials; tests/images sees it write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.image_making import bill_of_materials
from infra.image_making.bill_of_materials import BillOfMaterialsFailed, find_syft


def program(path: Path, first_line: str = "#!/bin/sh", *, status: int = 0) -> Path:
    path.write_text(f"{first_line}\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_ones_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = program(tmp_path / "own")
    monkeypatch.setenv("SYFT", str(own))

    assert find_syft() == own


def test_one_that_is_missing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYFT", raising=False)
    monkeypatch.setattr(bill_of_materials, "INSTALLED", tmp_path / "syft")

    with pytest.raises(BillOfMaterialsFailed, match=r"syft is not here; run: make syft$"):
        find_syft()


def test_one_whose_environment_was_moved_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first line names the Python of where it was."""
    monkeypatch.delenv("SYFT", raising=False)
    moved = program(tmp_path / "syft", "#!/no/such/folder/python")
    monkeypatch.setattr(bill_of_materials, "INSTALLED", moved)

    with pytest.raises(BillOfMaterialsFailed, match=r"rm -r \.venvs/syft && make syft$"):
        find_syft()


def test_ones_own_that_ends_with_an_error_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYFT", str(program(tmp_path / "own", status=1)))

    with pytest.raises(BillOfMaterialsFailed, match=r"does not run; set SYFT to one that does$"):
        find_syft()
