"""A model knows what it has learnt from, by id and by text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.data import Duplicate
from services.faq.learnt_from import LEARNT_FILE, add_learnt, is_learnt, read_learnt, write_learnt
from services.faq.text import CleanText
from services.serving.model_folder import ModelFolderError


def question(number: int, prose: str) -> Duplicate:
    text = CleanText("", prose, "")
    return Duplicate(number, 0, text, text)


LEARNT = [question(1, "how to sort"), question(2, "read a file")]


def test_a_question_is_known_by_its_id_or_by_its_text(tmp_path: Path) -> None:
    write_learnt(tmp_path, LEARNT)
    asked = [question(1, "another"), question(9, "Read  a FILE"), question(9, "new")]
    assert is_learnt(read_learnt(tmp_path), asked).tolist() == [True, True, False]


def test_what_is_learnt_later_is_added(tmp_path: Path) -> None:
    write_learnt(tmp_path, LEARNT)
    add_learnt(tmp_path, [question(3, "wait for it")])
    asked = [*LEARNT, question(3, "x"), question(4, "y")]
    assert is_learnt(read_learnt(tmp_path), asked).tolist() == [True, True, True, False]


def test_nothing_is_learnt_from_nothing(tmp_path: Path) -> None:
    write_learnt(tmp_path, [])
    assert not is_learnt(read_learnt(tmp_path), LEARNT).any()
    assert is_learnt(read_learnt(tmp_path), []).tolist() == []


@given(st.lists(st.text(), min_size=1, max_size=9))
def test_every_text_that_was_learnt_is_known(texts: list[str]) -> None:
    learnt = [question(number, text) for number, text in enumerate(texts)]
    keys = np.concatenate([_keys(each) for each in learnt])
    assert is_learnt(keys, [question(-1, text) for text in texts]).all()


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00"])
def test_a_broken_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LEARNT_FILE).write_bytes(content)
    with pytest.raises(ModelFolderError, match="does not hold the keys of questions"):
        read_learnt(tmp_path)


def test_another_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / LEARNT_FILE, np.zeros(3))
    with pytest.raises(ModelFolderError, match="does not hold the keys"):
        read_learnt(tmp_path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="is missing; train the model again"):
        read_learnt(tmp_path)


def _keys(learnt: Duplicate) -> np.ndarray:
    from services.faq import learnt_from

    return learnt_from._keys([learnt])
