"""A team's own questions become the same three files; what is wrong is named with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faq.attribution import Attribution, read_attributions
from services.faq.data import read_data
from services.faq.importing.import_table import plain_to_html
from services.faq.records import read_records
from services.faq.source_ids import number_of
from services.faq.stored_text import split_stored
from tests.services.faq.importing.conftest import command, report_of

CSV = """id,question,body,answer,duplicate_of,created,author,url,licence
1,How do I reset my password?,"I forgot it.
Twice.","Press ""Forgot"" & wait <5 min.",,2024-01-02,Ann,https://faq/1,CC0-1.0
2,cannot log in any more,,,1,2024-02-03,Bob,,
3,Where is my invoice?,,In the portal.,,,,,
"""

Run = Callable[..., int]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Run:
    """Import one table whose content is given."""

    def run(content: str | bytes, *options: object, name: str = "faq.csv") -> int:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return command("import", "--table", path, "--data", data, *options)

    return run


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.strip().splitlines()
    assert not any("Traceback" in line for line in lines)
    return lines


def test_a_csv_becomes_data_that_can_be_read(run: Run, data: Path) -> None:
    assert run(CSV) == 0
    records = read_records(data)
    first, second = records.originals
    assert first.text0 == "How do I reset my password?. <p>I forgot it.<br>Twice.</p>"
    assert (first.id, first.created, second.text0) == (1, "2024-01-02", "Where is my invoice?")
    assert records.answers[0].html == '<p>Press "Forgot" &amp; wait &lt;5 min.</p>'
    assert [(each.id, each.answer_id) for each in records.duplicates] == [(2, 1)]
    assert [each.id for each in read_data(data).duplicates] == [2]
    assert report_of(data)["written: originals"] == 2
    assert {path.name for path in data.iterdir()} == {
        "orig-q.tsv.gz", "dup-q.tsv.gz", "ans.tsv.gz", "attribution.jsonl.gz", "import-report.json",
    }  # fmt: skip


def test_authors_addresses_and_licences_are_kept(run: Run, data: Path) -> None:
    run(CSV)
    found = {(each.kind, each.id): each for each in read_attributions(data)}
    assert found["original", 1] == Attribution(
        kind="original", id=1, url="https://faq/1", author="Ann", licence="CC0-1.0",
        created="2024-01-02",
    )  # fmt: skip
    assert found["duplicate", 2].author == "Bob"
    assert found["answer", 3] == Attribution(kind="answer", id=3)


def test_json_lines_and_tsv_say_the_same(run: Run, data: Path, tmp_path: Path) -> None:
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(CSV)))
    run(CSV)
    expected = read_records(data)
    lines = "".join(json.dumps({**row, "id": int(row["id"])}) + "\n" for row in rows)
    assert run(lines, "--overwrite", name="faq.jsonl") == 0
    assert read_records(data) == expected
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter="\t")
    writer.writeheader()
    writer.writerows(rows)
    assert run(text.getvalue(), "--overwrite", name="faq.tsv") == 0
    assert read_records(data) == expected


def test_columns_have_the_names_that_are_given(run: Run, data: Path) -> None:
    content = "Nr;Frage;Antwort;Wie\n7;Wo?;Hier.;\n8;Wohin?;;7\n"
    options = (
        "--delimiter", ";", "--id-column", "Nr", "--question-column", "Frage",
        "--answer-column", "Antwort", "--duplicate-of-column", "Wie",
    )  # fmt: skip
    assert run(content, *options) == 0
    assert [each.id for each in read_records(data).duplicates] == [8]


def test_without_ids_rows_are_numbered(run: Run, data: Path) -> None:
    assert run("question,answer\nWhy?,So.\nHow?,Thus.\n") == 0
    assert [each.id for each in read_records(data).originals] == [1, 2]


def test_a_question_may_have_the_id_0(run: Run, data: Path) -> None:
    assert run("id,question,answer,duplicate_of\n5,a?,A.,\n0,b?,B.,\n6,c?,,0\n") == 0
    assert [each.id for each in read_records(data).originals] == [0, 5]


TEXT_IDS = """id,question,answer,duplicate_of
KB-0042,How do I reset my password?,Press it.,
9f8b1c1e-7a64-4d5e-9b58-2f1f6f3c0a11,cannot log in any more,, KB-0042
7,Where is my invoice?,In the portal.,
KB-0043,no bill,,7
"""


def test_ids_may_be_texts_which_get_the_same_numbers_every_time(run: Run, data: Path) -> None:
    assert run(TEXT_IDS) == 0
    records = read_records(data)
    reset = number_of("KB-0042")
    assert [each.id for each in records.originals] == [7, reset]
    owners = {each.id: each.answer_id for each in records.duplicates}
    assert owners == {
        number_of("9f8b1c1e-7a64-4d5e-9b58-2f1f6f3c0a11"): reset,
        number_of("KB-0043"): 7,
    }
    found = {(each.kind, each.id): each.source_id for each in read_attributions(data)}
    assert found["original", reset] == found["answer", reset] == "KB-0042"
    assert found["duplicate", number_of("KB-0043")] == "KB-0043"
    assert found["original", 7] is None
    lines = TEXT_IDS.splitlines()
    assert run("\n".join([lines[0], *reversed(lines[1:])]), "--overwrite") == 0
    assert read_records(data) == records


def test_text_ids_that_are_the_same_when_normalised_are_named(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{TEXT_IDS}KB-0042 ,again?,So.,\n") == 1
    assert "line 6: the id KB-0042 is used before" in errors(capsys)[0]


def test_text_ids_that_chance_gives_one_number_are_named(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.faq.importing.import_table.number_of", lambda _: 2**52)
    assert run("id,question,answer\na,Why?,So.\nb,How?,Thus.\n") == 1
    assert "line 3: id has the same number as 'a'; change one of them" in errors(capsys)[0]


def test_several_tables_are_read_as_one(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"id": 9, "question": "again?", "duplicate_of": 3}\n')
    assert run(CSV, "--table", tmp_path / "more.jsonl") == 0
    assert [each.id for each in read_records(data).duplicates] == [2, 9]


@pytest.mark.parametrize("wordings_first", [False, True])
def test_rows_without_an_id_take_none_that_another_row_has(
    wordings_first: bool, data: Path, tmp_path: Path
) -> None:
    """As of a table of known questions, and one of other wordings that nobody gave an id."""
    known, wordings = tmp_path / "known.csv", tmp_path / "wordings.csv"
    known.write_text("id,question,answer\n3,Why?,So.\n4,How?,Thus.\n1,Who?,I.\n")
    wordings.write_text("question,duplicate_of\nwhat for,3\nin which way,4\nwhich one,1\n")
    tables = (wordings, known) if wordings_first else (known, wordings)
    assert command("import", "--table", *tables, "--data", data) == 0
    records = read_records(data)
    assert [each.id for each in records.originals] == [1, 3, 4]
    repeated = {each.text0: each.answer_id for each in records.duplicates}
    assert repeated == {"what for": 3, "in which way": 4, "which one": 1}
    assert len({each.id for each in records.duplicates} - {1, 3, 4}) == 3


def test_without_any_id_a_row_is_named_by_its_number(run: Run, data: Path) -> None:
    assert run("question,answer,duplicate_of\nWhy?,So.,\nwhat for,,1\n") == 0
    assert [(each.id, each.answer_id) for each in read_records(data).duplicates] == [(2, 1)]


def test_a_row_without_an_id_is_named_by_its_number_beside_rows_that_have_one(
    data: Path, tmp_path: Path
) -> None:
    questions, wordings = tmp_path / "fragen.csv", tmp_path / "w.csv"
    questions.write_text("question,answer\nWhy?,So.\nHow?,Thus.\n")
    wordings.write_text("id,question,duplicate_of\n10,what for,1\nKB-11,in which way,2\n")
    assert command("import", "--table", questions, wordings, "--data", data) == 0
    records = read_records(data)
    assert [each.id for each in records.originals] == [1, 2]
    owners = {each.id: each.answer_id for each in records.duplicates}
    assert owners == {10: 1, number_of("KB-11"): 2}


def test_rows_without_an_id_keep_theirs_when_another_table_comes_beside(
    run: Run, data: Path, tmp_path: Path
) -> None:
    assert run("question,answer,duplicate_of\nWhy?,So.,\nHow?,Thus.,\nwhat for,,1\n") == 0
    alone = read_records(data)
    (tmp_path / "more.csv").write_text("id,question,answer\n77,Who?,I.\n2,Where?,There.\n")
    tables = (tmp_path / "faq.csv", tmp_path / "more.csv")
    assert command("import", "--table", *tables, "--data", data, "--overwrite") == 0
    beside = read_records(data)
    ids = {each.text0: each.id for each in beside.originals}
    assert (ids["Why?"], ids["Where?"], ids["Who?"]) == (1, 2, 77)
    assert ids["How?"] not in (1, 2, 3, 77)
    assert beside.duplicates == alone.duplicates


CLASHING = [
    "1,How do I reset?,A,",
    ",cannot log in,,1",
    "2,Where is my invoice?,B,",
    "3,no bill,,2",
]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 1, 0, 3), (2, 3, 0, 1), (3, 1, 2, 0)])
@pytest.mark.parametrize("options", [(), ("--skip-errors",)])
def test_an_id_that_is_given_comes_before_the_number_of_a_row(
    order: tuple[int, ...], options: tuple[str, ...], run: Run, data: Path
) -> None:
    lines = ["id,question,answer,duplicate_of", *(CLASHING[place] for place in order)]
    assert run("\n".join(lines), *options) == 0
    records = read_records(data)
    assert {each.id: each.text0 for each in records.originals} == {
        1: "How do I reset?", 2: "Where is my invoice?",
    }  # fmt: skip
    repeated = {each.text0: each.answer_id for each in records.duplicates}
    assert repeated == {"cannot log in": 1, "no bill": 2}


def test_a_row_that_cannot_be_read_is_counted(data: Path, tmp_path: Path) -> None:
    """Or what is behind it would be named by the number of its neighbour."""
    table = tmp_path / "questions.jsonl"
    table.write_text(
        '{"question": "Why?", "answer": "So."}\n'
        "this is no JSON\n"
        '{"question": "How?", "answer": "Thus."}\n'
        '{"question": "Who?", "answer": "I."}\n'
        '{"question": "in which way", "duplicate_of": 3}\n'
    )
    assert command("import", "--table", table, "--data", data, "--skip-errors") == 0
    records = read_records(data)
    original_of = {each.id: each.text0 for each in records.originals}
    assert original_of == {1: "Why?", 3: "How?", 4: "Who?"}
    assert [original_of[each.answer_id] for each in records.duplicates] == ["How?"]


def test_an_id_that_could_also_be_the_number_of_an_original_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where both tables count from 1: by `1` the first row of the other table may be meant."""
    questions, wordings = tmp_path / "fragen.csv", tmp_path / "w.csv"
    questions.write_text("question,answer\nWhy?,So.\nHow?,Thus.\nWho?,I.\n")
    wordings.write_text("id,question,duplicate_of\n1,which one,3\n2,what for,1\n")
    arguments = ("import", "--table", questions, wordings, "--data", data)
    assert command(*arguments) == 1
    assert (
        "w.csv: line 3: duplicate_of 1 is the id of one row, and the number of an original that "
        "has none; give that one an id" in errors(capsys)[0]
    )
    assert command(*arguments, "--skip-errors") == 0
    records = read_records(data)
    original_of = {each.id: each.text0 for each in records.originals}
    owners = [(each.text0, original_of[each.answer_id]) for each in records.duplicates]
    assert owners == [("which one", "Who?")]


def test_a_duplicate_of_a_duplicate_belongs_to_the_root(run: Run, data: Path) -> None:
    assert run(CSV + "4,still no login,,,2,,,,\n") == 0
    assert [each.answer_id for each in read_records(data).duplicates] == [1, 1]


def test_html_is_kept_where_the_columns_hold_html(run: Run, data: Path) -> None:
    assert run("question,answer\nWhy?,<b>So</b>\n", "--text-format", "html") == 0
    assert read_records(data).answers[0].html == "<b>So</b>"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("\x1b[2J,Why?,,So.,,,,,", "line 6: id must have 1 to 200 characters that can be printed"),
        ("x" * 201 + ",Why?,,So.,,,,,", "line 6: id must have 1 to 200 characters"),
        ("4,Why?,,,\x07,,,,", "line 6: duplicate_of must have 1 to 200 characters"),
        ("003,Why?,,So.,,,,,", "line 6: the id 3 is used before"),
        ("3,Why?,,So.,,,,,", "line 6: the id 3 is used before"),
        ("4,,,So.,,,,,", "line 6: has no question (column 'question')"),
        ("4,Why?,,,,,,,", "line 6: has no answer (column 'answer'), and repeats no other question"),
        ("4,Why?,,,4,,,,", "line 6: is a duplicate of itself"),
        ("4,Why?,,,99,,,,", "question 4: no question has the id 99 that it repeats"),
        ("4,Why?,,,KB-9,,,,", "question 4: no question has the id KB-9 that it repeats"),
        ("KB-4,Why?,,,kb-4,,,,", "question KB-4: no question has the id kb-4 that it repeats"),
        ("KB-4,Why?,,,KB-4,,,,", "line 6: is a duplicate of itself"),
        ("4,Why?,,So.,,,,,,more", "line 6: has 10 columns, the header has 9"),
        ('4,"Why?" not,,So.,,,,,', "line 6: is not CSV: "),
        ('4,"Why?', "line 6: is not CSV: unexpected end of data"),
        (f"4,Why?,,{'&' * 60_000},,,,,", "line 6: is longer than 262,144 bytes"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(
    run: Run, data: Path, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{CSV}{line}\n") == 1
    shown = errors(capsys)
    assert message in shown[0]
    assert shown[-1].endswith("correct them, or give --skip-errors to leave them out")
    assert list(data.iterdir()) == []
    assert run(f"{CSV}{line}\n", "--skip-errors") == 0
    assert len(read_records(data).originals) == 2
    assert report_of(data)["left out: lines that are wrong"] == 1


@pytest.mark.parametrize("first", ["1,Why?,So.,", "2,Why?,So.,"])
def test_a_row_without_an_id_that_repeats_nothing_is_named_by_its_line(
    first: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether its number is its id or is that of another: neither stands in the table."""
    assert run(f"id,question,answer,duplicate_of\n{first}\n,what for,,B\n") == 1
    shown = errors(capsys)[0]
    assert shown.endswith("faq.csv: line 3: no question has the id B that it repeats")


def test_at_most_twenty_errors_are_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("question,answer\n" + "Why?,\n" * 50) == 1
    shown = errors(capsys)
    assert len(shown) == 21
    assert "50 lines are wrong" in shown[-1]


@pytest.mark.parametrize(
    ("content", "options", "name", "message"),
    [
        ("", (), "faq.csv", "is empty; the first line must name the columns"),
        ("question,answer\n", (), "faq.csv", "holds no question with an answer"),
        ("a,b\n1,2\n", (), "faq.csv", "has no column 'question', but 'a', 'b'; name it with"),
        ("question;answer\nWhy?;So.\n", (), "faq.csv", "has no column 'question', but"),
        ("question,question\n1,2\n", (), "faq.csv", "line 1: has two columns 'question'"),
        (b"question,answer\ncaf\xe9?,So.\n", (), "faq.csv",
         "line 2: is not utf-8 (byte 0xe9 at 4); name its encoding, such as --encoding cp1252"),
        ("{}", (), "faq.xlsx", "is neither .csv, .tsv nor .jsonl"),
        ("x" * 300_000, (), "faq.csv", "line 1: is longer than 262,144 bytes"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_one_line(
    run: Run,
    data: Path,
    content: str | bytes,
    options: tuple[str, ...],
    name: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(content, *options, name=name) == 1
    assert message in errors(capsys)[-1]
    assert not list(data.iterdir())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: is not JSON"),
        ("[1]", "line 2: is not a JSON object"),
        ('{"question": ["a"], "answer": "b"}', "line 2: 'question' is not a text"),
    ],
)
def test_a_wrong_json_line_is_named(
    run: Run, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f'{{"question": "Why?", "answer": "So."}}\n{line}\n', name="faq.jsonl") == 1
    assert message in errors(capsys)[0]


def test_a_byte_order_mark_is_not_part_of_the_first_column(run: Run, data: Path) -> None:
    assert run("\ufeffquestion,answer\nWhy?,So.\n") == 0
    assert read_records(data).originals[0].text0 == "Why?"


def test_another_encoding_can_be_named(run: Run, data: Path) -> None:
    assert run("question,answer\ncafé?,So.\n".encode("cp1252"), "--encoding", "cp1252") == 0
    assert read_records(data).originals[0].text0 == "café?"


def test_a_missing_table_is_one_line(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("import", "--table", "nowhere.csv", "--data", data) == 1
    assert "nowhere.csv: is missing" in errors(capsys)[-1]


@given(st.text(max_size=200))
def test_plain_text_shows_as_it_is_written(text: str) -> None:
    from html.parser import HTMLParser

    shown: list[str] = []
    reader = HTMLParser()
    reader.handle_data = shown.append  # type: ignore[method-assign]
    reader.feed(plain_to_html(text))
    reader.close()
    assert "".join("".join(shown).split()) == "".join(text.split())


@given(st.text(max_size=60), st.text("ab .<>\n\t&;", max_size=60))
def test_a_title_and_a_body_are_found_again(title: str, body: str) -> None:
    from services.faq.stored_text import text0

    stored = text0(title, plain_to_html(body))
    assert "\n" not in stored
    assert "\t" not in stored
    found_title, found_body = split_stored(stored)
    assert found_title == " ".join(title.split()).replace(". <", ".<")
    assert bool(found_body) == bool(body.strip())
