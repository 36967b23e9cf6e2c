"""Where keys come from."""

from __future__ import annotations

import pytest

from client.api_key import find_key


def test_a_file_comes_before_the_environment(tmp_path):
    path = tmp_path / "key"
    path.write_text("from-file\n")
    assert find_key(path, {"SCORING_API_KEY": "from-environment"}) == "from-file"
    assert find_key(None, {"SCORING_API_KEY": " from-environment\n"}) == "from-environment"


def test_there_may_be_none():
    assert find_key(None, {}) is None
    assert find_key(None, {"SCORING_API_KEY": ""}) is None


@pytest.mark.parametrize("content", [b"", b" \n", b"one two", b"\xff\xfe", b"x" * 5000])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is empty|not an API key") as raised:
        find_key(path, {})
    assert "one two" not in str(raised.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(OSError, match="key"):
        find_key(tmp_path / "key", {"SCORING_API_KEY": "from-environment"})
