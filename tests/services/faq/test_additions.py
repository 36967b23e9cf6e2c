"""What is new in a folder is taken, what is known is counted and left."""

from __future__ import annotations

import numpy as np
import pytest

from services.faq.additions import read_additions
from services.faq.records import DataError
from services.faq.stored_originals import StoredOriginal, StoredOriginals
from tests.services.faq.conftest import WriteData

KNOWN_DUPLICATES = np.asarray([501])


@pytest.fixture
def known() -> StoredOriginals:
    """Two originals: 10 with answer 110, and 20 with answer 120."""
    return StoredOriginals.of(
        StoredOriginal(id=each, answer_id=each + 100, title="", html="", answer_html="")
        for each in (10, 20)
    )


def test_duplicates_of_the_model_and_of_the_folder_find_their_originals(
    known: StoredOriginals, write_data: WriteData
) -> None:
    folder = write_data(
        originals=[(15, 115, "Sort. <p>How?</p>", ""), (5, 105, "Map. <p>How?</p>", "")],
        answers=[(115, "<p>a</p>"), (105, "<p>b</p>")],
        duplicates=[
            (601, 120, "of the model. <p>x</p>", ""),
            (602, 115, "of the folder. <p>x</p>", ""),
            (603, 105, "of the other. <p>x</p>", ""),
        ],
    )
    additions = read_additions(folder, known, KNOWN_DUPLICATES)
    assert [(each.id, each.title) for each in additions.originals] == [(5, "Map"), (15, "Sort")]
    assert [(each.id, each.owner) for each in additions.duplicates] == [
        (601, 1), (602, 3), (603, 2),
    ]  # fmt: skip
    assert additions.left_out == {}


def test_what_is_known_or_of_no_use_is_left_and_counted(
    known: StoredOriginals, write_data: WriteData
) -> None:
    folder = write_data(
        originals=[
            (10, 110, "known", ""),
            (30, 110, "another question of the same answer", ""),
            (40, 140, "no answer", ""),
            (50, 150, " ", ""),
        ],
        answers=[(110, "a"), (150, "b")],
        duplicates=[
            (501, 110, "known", ""),
            (502, 999, "of nothing", ""),
            (503, 110, " ", ""),
            (504, 110, "new", ""),
            (504, 110, "twice", ""),
        ],
    )
    additions = read_additions(folder, known, KNOWN_DUPLICATES)
    assert [each.id for each in additions.duplicates] == [504]
    assert additions.originals == []
    assert additions.left_out == {
        "duplicates of an unknown original": 1,
        "duplicates that are known": 2,
        "duplicates with too little text": 1,
        "originals that are known": 1,
        "originals with the same answer as another": 1,
        "originals with too little text": 1,
        "originals without an answer": 1,
    }


def test_what_training_leaves_out_for_too_little_text_is_left_out(
    known: StoredOriginals, write_data: WriteData
) -> None:
    folder = write_data(
        originals=[(30, 130, "Sort?", ""), (40, 140, "How do I sort an array?", "")],
        answers=[(130, "a"), (140, "b")],
        duplicates=[(601, 120, "sorting", ""), (602, 120, "put all in their order", "")],
    )
    additions = read_additions(folder, known, KNOWN_DUPLICATES, min_text=12)
    assert [each.id for each in (*additions.originals, *additions.duplicates)] == [40, 602]
    assert additions.left_out == {
        "duplicates with too little text": 1,
        "originals with too little text": 1,
    }


def test_nothing_new_is_refused(known: StoredOriginals, write_data: WriteData) -> None:
    folder = write_data(
        originals=[(10, 110, "known", "")], answers=[(110, "a")], duplicates=[(501, 110, "x", "")]
    )
    with pytest.raises(DataError, match=r"holds nothing new \(1 duplicates that are known, 1 orig"):
        read_additions(folder, known, KNOWN_DUPLICATES)
