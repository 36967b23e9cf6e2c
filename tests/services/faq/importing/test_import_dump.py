"""A dump becomes the three files, whatever form it has and whatever is wrong with its links."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.data import read_data
from services.faq.importing.import_dump import import_dump
from services.faq.importing.write_data import new_data
from services.faq.records import FILES, DataError
from tests.services.faq.importing.conftest import Dump, Import


@pytest.mark.parametrize("form", ["xml", "bz2", "gz", "7z", "one"])
def test_every_form_of_a_dump_gives_the_same(dump: Dump, imported: Import, form: str) -> None:
    found = imported(dump, form)
    (original,) = found.records.originals
    assert (original.id, original.answer_id) == (1, 12)
    assert original.text0 == "How do I sort an array?. <p>Body of 1.</p>"
    assert original.created == "2012-05-06T07:08:09.100"
    assert [(each.id, each.html) for each in found.records.answers] == [(12, "<p>Answer 12.</p>")]
    assert found.pairs == {2: 1, 3: 1}


def test_what_is_written_can_be_trained_on(dump: Dump, imported: Import, tmp_path: Path) -> None:
    imported(dump)
    data = read_data(tmp_path / "data")
    assert [each.title for each in data.originals] == ["How do I sort an array?"]
    assert [each.id for each in data.duplicates] == [2, 3]
    assert data.dropped == {}


def test_code_keeps_its_lines_and_everything_else_is_one_line(dump: Dump, imported: Import) -> None:
    body = "<p>a\n  b</p>\n<pre><code>one\n\ttwo\r\nthree</code></pre>\n"
    found = imported(dump.question(5, "t\tt", Body=body).link(5, 1))
    assert found.records.duplicates[-1].text0 == (
        "t t. <p>a b</p> <pre><code>one&#10;&#9;two&#10;three</code></pre>"
    )


def test_without_an_accepted_answer_the_highest_scored_is_taken(imported: Import) -> None:
    dump = (
        Dump().question(1).answer(11, 1, score=3).answer(12, 1, score=9).answer(13, 1, score=9)
        .question(2).link(2, 1)
    )  # fmt: skip
    found = imported(dump)
    assert found.records.originals[0].answer_id == 12
    assert found.count("answers: highest score, as none is accepted") == 1


def test_an_accepted_answer_that_is_gone_is_replaced_by_the_highest_scored(
    imported: Import,
) -> None:
    dump = Dump().question(1, AcceptedAnswerId=99).answer(11, 1).question(2).link(2, 1)
    found = imported(dump)
    assert found.records.originals[0].answer_id == 11
    assert found.count("answers: highest score, as the accepted one is not in the dump") == 1


def test_answers_that_come_before_their_question_are_found(imported: Import) -> None:
    dump = (
        Dump().answer(11, 20, score=9).answer(12, 20, score=1)
        .question(20, AcceptedAnswerId=12).question(21).link(21, 20)
    )  # fmt: skip
    assert imported(dump).records.originals[0].answer_id == 12


def test_a_duplicate_of_a_duplicate_belongs_to_the_root(dump: Dump, imported: Import) -> None:
    found = imported(dump.question(5).question(6).link(5, 2).link(6, 5))
    assert found.pairs == {2: 1, 3: 1, 5: 1, 6: 1}
    assert found.count("duplicates: through another duplicate (chains)") == 2


def test_of_a_cycle_the_oldest_question_with_an_answer_is_the_original(imported: Import) -> None:
    dump = Dump()
    for number in (1, 2, 3, 4):
        dump.question(number)
    dump.answer(12, 2).answer(13, 3)
    dump.link(1, 2).link(2, 3).link(3, 1).link(4, 1)
    found = imported(dump)
    assert found.pairs == {1: 2, 3: 2, 4: 2}
    assert found.count("links: cycles, of which the oldest question is the original") == 1


def test_a_cycle_without_an_answer_is_left_out_and_counted(dump: Dump, imported: Import) -> None:
    found = imported(dump.question(5).question(6).link(5, 6).link(6, 5))
    assert found.pairs == {2: 1, 3: 1}
    assert found.count("left out: duplicates, as a cycle of duplicates has no usable original") == 2


def test_of_several_originals_the_nearest_then_the_first_linked_is_taken(
    dump: Dump, imported: Import
) -> None:
    dump.question(5).answer(15, 5).question(6).question(7)
    dump.link(6, 5).link(6, 1).link(7, 2).link(7, 5)
    found = imported(dump)
    assert found.pairs == {2: 1, 3: 1, 6: 5, 7: 5}
    assert found.count("duplicates: with several originals, of which one was taken") == 2


def test_an_original_that_is_gone_is_replaced_by_another_of_the_same_duplicate(
    dump: Dump, imported: Import
) -> None:
    assert imported(dump.question(5).link(5, 404).link(5, 1)).pairs[5] == 1


def test_a_duplicate_whose_own_original_is_gone_becomes_an_original(imported: Import) -> None:
    dump = Dump().question(1).answer(11, 1).question(2).link(1, 404).link(2, 1)
    found = imported(dump)
    assert found.pairs == {2: 1}
    assert found.count("links: to a question that is not in the dump, ignored") == 1


def test_links_lead_on_through_a_question_that_is_gone(dump: Dump, imported: Import) -> None:
    found = imported(dump.question(5).link(5, 404).link(404, 1))
    assert found.pairs[5] == 1
    assert found.count("left out: duplicates that are not in the dump") == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda dump: dump.link(5, 404), "the original is not in the dump"),
        (lambda dump: dump.question(6).link(5, 6), "the original has no answer"),
        (
            lambda dump: dump.question(6, Tags="<python>").answer(16, 6).link(5, 6),
            "the original has not the tag",
        ),
        (
            lambda dump: dump.question(6, Body="x" * 300_000).answer(16, 6).link(5, 6),
            "the original is too long",
        ),
    ],
)
def test_a_duplicate_without_a_usable_original_is_left_out_and_counted(
    dump: Dump, imported: Import, change, reason: str
) -> None:
    found = imported(change(dump.question(5)))
    assert found.pairs == {2: 1, 3: 1}
    assert found.count(f"left out: duplicates, as {reason}") == 1


def test_a_duplicate_without_the_tag_is_left_out_but_links_lead_through_it(
    dump: Dump, imported: Import
) -> None:
    found = imported(dump.question(5, Tags="|python|").question(6).link(5, 1).link(6, 5))
    assert found.pairs == {2: 1, 3: 1, 6: 1}
    assert found.count("left out: duplicates without the tag") == 1


def test_tags_are_any_of_those_given_in_both_notations(dump: Dump, imported: Import) -> None:
    dump.question(5, Tags="|python|c++|").question(6, Tags="<c++>").link(5, 1).link(6, 1)
    assert set(imported(dump, tags=("javascript", "c++")).pairs) == {2, 3, 5, 6}


def test_no_tag_takes_every_question(dump: Dump, imported: Import) -> None:
    assert set(imported(dump.question(5, Tags=None).link(5, 1), tags=()).pairs) == {2, 3, 5}


def test_links_that_say_nothing_are_ignored_and_counted(dump: Dump, imported: Import) -> None:
    found = imported(dump.link(2, 2).link(2, 1))
    assert found.count("links: from a question to itself, ignored") == 1
    assert found.count("links: repeated, ignored") == 1
    assert found.count("links: to an original") == 2


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"Id": None}, "Posts.xml: rows without Id"),
        ({"Id": "7x"}, "Posts.xml: rows whose Id is not a whole number"),
        ({"Id": "9" * 30}, "Posts.xml: rows whose Id is not a whole number"),
        ({"PostTypeId": None}, "Posts.xml: rows without PostTypeId"),
        ({"Title": None}, "Posts.xml: questions without a title"),
        ({"AcceptedAnswerId": "x"}, "Posts.xml: rows whose AcceptedAnswerId is not a whole number"),
        ({"PostTypeId": 2}, "Posts.xml: rows without ParentId"),
        ({"PostTypeId": 2, "ParentId": 1, "Score": "many"},
         "Posts.xml: rows whose Score is not a whole number"),
        ({"PostTypeId": 2, "ParentId": 1, "Body": " "}, "Posts.xml: answers without a text"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_left_out_and_counted(
    dump: Dump, imported: Import, bad: dict[str, object], what: str
) -> None:
    dump.link(5, 1)
    found = imported(dump.question(5, **bad))
    assert found.pairs == {2: 1, 3: 1}
    assert found.count(what) == 1


def test_a_link_that_cannot_be_used_is_left_out_and_counted(dump: Dump, imported: Import) -> None:
    found = imported(dump.link(2, 1, Id=None).link(2, 1, PostId="-1"))
    assert found.count("PostLinks.xml: rows without Id") == 1
    assert found.count("PostLinks.xml: rows whose PostId is not a whole number") == 1


def test_an_unknown_tag_is_an_error_and_leaves_nothing(dump: Dump, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(DataError, match=r"of 2 links to originals none .* tagged cobol with an"):
        import_dump(dump.write(tmp_path / "d"), data, host="stackoverflow.com", tags=("cobol",))
    assert list(data.iterdir()) == []


def test_a_dump_without_duplicates_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no question is linked as a duplicate"):
        import_dump(
            Dump().question(1).write(tmp_path / "d"), tmp_path / "data",
            host="stackoverflow.com", tags=(),
        )  # fmt: skip


def test_importing_again_gives_the_same_bytes(dump: Dump, tmp_path: Path) -> None:
    source = dump.write(tmp_path / "dump")
    for name in ("first", "second"):
        import_dump(source, tmp_path / name, host="stackoverflow.com", tags=())
    for name in (*FILES, "attribution.jsonl.gz", "import-report.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_data_that_fails_half_way_leaves_what_was_there(
    dump: Dump, imported: Import, tmp_path: Path
) -> None:
    imported(dump)
    folder = tmp_path / "data"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def stopped() -> None:
        with new_data(folder) as writer:
            writer.original(1, 2, "other", "")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
