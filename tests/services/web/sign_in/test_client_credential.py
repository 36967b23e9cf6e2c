"""The file that holds the client's secret, or the token that stands for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.web.sign_in.authorisation import LONGEST_SECRET, CodeRefused, read_secret


def test_what_stands_around_it_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b" secret-1 \n")
    assert read_secret(path) == "secret-1"
    path.write_bytes(b"s" * LONGEST_SECRET)
    assert len(read_secret(path)) == LONGEST_SECRET


@pytest.mark.parametrize(
    "content",
    [None, b"", b" \n", b"two words", b"two\nlines", b"\xc3\xa9", b"s" * (LONGEST_SECRET + 1)],
    ids=["no file", "empty", "blank", "words", "lines", "not ASCII", "long"],
)
def test_a_file_without_one_names_itself_and_nothing_that_it_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CodeRefused, match="credential file"):
        read_secret(path)
    (record,) = caplog.records
    assert record.__dict__["file"] == str(path)
    assert "words" not in caplog.text
