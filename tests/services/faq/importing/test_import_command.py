"""The command says in one line what is wrong, loses nothing, and goes on where it was stopped."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.faq.attribution import ATTRIBUTION_FILE
from services.faq.importing import byte_stream, read_dump, work_file
from services.faq.importing.import_dump import import_dump
from services.faq.importing.work_file import WORK_FILE
from services.faq.records import FILES
from tests.services.faq.conftest import ROOT
from tests.services.faq.importing.conftest import Dump, command, document, report_of

WRITTEN = (*FILES, ATTRIBUTION_FILE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.strip().splitlines()
    assert not any("Traceback" in line for line in lines)
    return lines[-1]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in WRITTEN}


def large_dump(questions: int) -> Dump:
    """Originals with a duplicate each, some of them through others."""
    dump = Dump()
    for number in range(questions):
        original, duplicate = 10 * number + 1, 10 * number + 2
        dump.question(original, AcceptedAnswerId=original + 3).answer(original + 3, original)
        dump.question(duplicate).link(duplicate, original)
    return dump


def test_the_report_is_printed_and_written(
    dump: Dump, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("import", "--dump", dump.write(tmp_path / "d"), "--data", data) == 0
    shown = capsys.readouterr()
    assert "\n2  written: duplicates\n" in shown.out
    assert "\n6  Posts.xml: rows\n" in shown.out
    assert report_of(data)["written: originals"] == 1
    assert shown.err.strip().endswith("written; the report is in import-report.json")
    assert {path.name for path in data.iterdir()} == {*WRITTEN, "import-report.json"}


def test_the_site_makes_the_addresses(dump: Dump, data: Path, tmp_path: Path) -> None:
    source = dump.write(tmp_path / "d")
    assert command("import", "--dump", source, "--data", data, "--site", "unix", "--any-tag") == 0
    report = json.loads((data / "import-report.json").read_text())
    assert report["source"]["host"] == "unix.stackexchange.com"
    assert report["source"]["tags"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either --dump or --table"),
        (("--dump", "d", "--table", "t.csv"), "give either --dump or --table"),
        (("--dump", "d", "--tag", ""), "give --tag, or --any-tag"),
        (("--dump", "d", "--site", "a/b"), "--site (FAQ_IMPORT_SITE): must be a site"),
        (("--dump", "d", "--site", "unix."), "--site (FAQ_IMPORT_SITE): must be a site"),
        (("--dump", "d", "--site", "a..b"), "--site (FAQ_IMPORT_SITE): must be a site"),
        (("--table", "t.csv", "--encoding", "utf-16"), "save UTF-16 as UTF-8"),
        (("--table", "t.csv", "--encoding", "klingon"), "must be an encoding such as utf-8"),
        (("--table", "t.csv", "--text-format", "rtf"), "--text-format"),
    ],
)
def test_a_bad_setting_is_one_line_and_status_two(
    options: tuple[str, ...], message: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("import", "--data", data, *options) == 2
    assert message in one_line(capsys)


def cut(name: str):
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])

    return change


def filled(name: str, content: bytes):
    return lambda folder: (folder / name).write_bytes(content)


def noise_inside(name: str):
    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        middle = len(content) // 2
        content[middle : middle + 40] = bytes(40)
        (folder / name).write_bytes(bytes(content))

    return change


@pytest.mark.parametrize(
    ("form", "damage", "message"),
    [
        ("xml", cut("Posts.xml"), r"Posts.xml: ends too early; the file is not complete"),
        ("bz2", cut("Posts.xml.bz2"), r"Posts.xml.bz2: ends too early; the file is not complete"),
        ("gz", cut("Posts.xml.gz"), r"Posts.xml.gz: ends too early; the file is not complete"),
        ("7z", cut("stackoverflow.com-Posts.7z"), r"Posts.7z: is not a 7z archive, or is damaged"),
        ("bz2", noise_inside("Posts.xml.bz2"), r"Posts.xml.bz2: is damaged"),
        ("gz", noise_inside("Posts.xml.gz"), r"Posts.xml.gz: is damaged|ends too early"),
        ("7z", noise_inside("stackoverflow.com-Posts.7z"), r"Posts.7z.*: is damaged"),
        ("7z", filled("stackoverflow.com-Posts.7z", b"7z?"), r"Posts.7z: is not a 7z archive"),
        ("bz2", filled("Posts.xml.bz2", b"<posts/>"), r"Posts.xml.bz2: is damaged, or is not what"),
        ("xml", filled("Posts.xml", b"\x89PNG"), r"Posts.xml: is not XML"),
        ("xml", filled("Posts.xml", b""), r"Posts.xml: is empty, or is not XML"),
        ("xml", filled("Posts.xml", document("posts", [])), r"none is between questions in the dump"),
        ("xml", filled("PostLinks.xml", document("postlinks", [])), r"no question is linked as a"),
        ("xml", filled("PostLinks.xml", document("posts", [])), r"is not postlinks of a Stack"),
        ("xml", lambda folder: (folder / "Posts.xml").unlink(), r"holds no Posts.xml, nor Posts.xml"),
    ],
)  # fmt: skip
def test_a_damaged_dump_is_one_line_and_no_data(
    form: str,
    damage,
    message: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = large_dump(300).write(tmp_path / "dump", form)
    damage(source)
    assert command("import", "--dump", source, "--data", data) == 1
    line = one_line(capsys)
    assert line.startswith("services.faq import: ")
    assert re.search(message, line), line
    assert not data.exists() or {path.name for path in data.iterdir()} <= {WORK_FILE}


@pytest.mark.parametrize("path", ["nowhere", "README.md"])
def test_what_is_no_dump_is_one_line(
    path: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("import", "--dump", ROOT / path, "--data", data) == 1
    assert ("is missing" if path == "nowhere" else "holds no Posts.xml") in one_line(capsys)


def test_an_archive_of_something_else_is_one_line(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import py7zr

    with py7zr.SevenZipFile(tmp_path / "photos.7z", "w") as archive:
        archive.writestr(b"x", "photo.jpg")
    assert command("import", "--dump", tmp_path / "photos.7z", "--data", data) == 1
    assert "holds no Posts.xml" in one_line(capsys)


def test_data_that_is_there_is_kept_unless_told_otherwise(
    dump: Dump, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = dump.write(tmp_path / "d")
    assert command("import", "--dump", source, "--data", data) == 0
    before = contents(data)
    dump.question(5).link(5, 1).write(tmp_path / "d")
    capsys.readouterr()
    assert command("import", "--dump", source, "--data", data) == 1
    assert "already holds orig-q.tsv.gz" in one_line(capsys)
    assert contents(data) == before
    assert command("import", "--dump", source, "--data", data, "--overwrite") == 0
    assert report_of(data)["written: duplicates"] == 3


def test_a_file_in_the_place_of_the_folder_is_one_line(
    dump: Dump, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text("precious")
    assert command("import", "--dump", dump.write(tmp_path / "d"), "--data", data) == 1
    assert "data: is not a folder" in one_line(capsys)
    assert data.read_text() == "precious"


def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The questions that are looked at from now on."""
    read, seen = read_dump.posts.post_id, []

    def post_id(row: dict[str, str]) -> int:
        seen.append(read(row))
        return seen[-1]

    monkeypatch.setattr(read_dump.posts, "post_id", post_id)
    return seen


@pytest.mark.parametrize("form", ["xml", "bz2", "7z"])
@pytest.mark.parametrize("interrupted_at", [3, 60])
def test_an_import_that_was_interrupted_goes_on_where_it_was(
    form: str,
    interrupted_at: int,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = large_dump(30).write(tmp_path / "dump", form)
    import_dump(source, tmp_path / "whole", host="stackoverflow.com", tags=("javascript",))
    monkeypatch.setattr(work_file, "_SECONDS_BETWEEN_COMMITS", 0.0)
    monkeypatch.setattr(byte_stream, "PIECE", 500)
    kept = read_dump.posts.post_id
    asked = 0

    def interrupted(row: dict[str, str]) -> int:
        nonlocal asked
        asked += 1
        if asked == interrupted_at:
            raise KeyboardInterrupt
        return kept(row)

    with monkeypatch.context() as patched:
        patched.setattr(read_dump.posts, "post_id", interrupted)
        assert command("import", "--dump", source, "--data", data) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert [path.name for path in data.iterdir()] == [WORK_FILE]
    again = asked_for(monkeypatch)
    assert command("import", "--dump", source, "--data", data) == 0
    assert len(again) == 60 - interrupted_at + 1
    assert contents(data) == contents(tmp_path / "whole")
    assert report_of(data) == report_of(tmp_path / "whole")


def test_unfinished_work_of_other_options_is_not_gone_on_with(
    data: Path, dump: Dump, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = dump.write(tmp_path / "dump")
    whole = (source / "Posts.xml").read_bytes()
    (source / "Posts.xml").write_bytes(whole[:-9])
    assert command("import", "--dump", source, "--data", data) == 1
    (source / "Posts.xml").write_bytes(whole)
    assert command("import", "--dump", source, "--data", data) == 1
    assert "give --restart to begin anew" in one_line(capsys)
    assert command("import", "--dump", source, "--data", data, "--restart") == 0


def test_after_a_restart_that_was_interrupted_it_is_said_how_to_go_on(
    data: Path,
    dump: Dump,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --restart once more, all would begin anew once more."""

    def interrupted(row: dict[str, str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(read_dump.posts, "post_id", interrupted)
    source = dump.write(tmp_path / "d")
    assert command("import", "--dump", source, "--data", data, "--restart") == 130
    assert "the same command without --restart goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--dump", "--restart", "--table"])
def test_two_imports_into_one_folder_are_refused(
    option: str, data: Path, dump: Dump, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first loses nothing by it, even if the second would begin anew."""
    table = tmp_path / "faq.csv"
    table.write_text("question,answer\nWhy?,So.\n")
    of_dump = ("--dump", dump.write(tmp_path / "d"))
    source = ("--table", table) if option == "--table" else of_dump
    restart = ("--restart",) if option == "--restart" else ()
    data.mkdir()
    with work_file.open_work_file(data, {}, restart=False) as work:
        assert command("import", *source, "--data", data, *restart) == 1
        assert "another import is writing here" in one_line(capsys)
        work.finish("links")
    with work_file.open_work_file(data, {}, restart=False) as work:
        assert work.is_done("links")


def test_a_damaged_work_file_is_one_line(
    data: Path, dump: Dump, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.mkdir()
    (data / WORK_FILE).write_bytes(b"not a database" * 100)
    source = dump.write(tmp_path / "d")
    assert command("import", "--dump", source, "--data", data) == 1
    assert "give --restart to begin anew" in one_line(capsys)
    assert command("import", "--dump", source, "--data", data, "--restart") == 0


STOPS_AND_WAITS = """
import sys, time
from services.faq.__main__ import COMMANDS
from services.faq.importing import posts, work_file
from services.serving.command_line import main

work_file._SECONDS_BETWEEN_COMMITS = 0.0
read, seen = posts.post_id, []

def post_id(row):
    seen.append(row)
    if len(seen) == 20:
        print("waiting", flush=True)
        time.sleep(60)
    return read(row)

posts.post_id = post_id
sys.exit(main("services.faq", "", COMMANDS, sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_process_that_is_stopped_leaves_what_the_next_one_goes_on_with(
    sent: signal.Signals, status: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = large_dump(20).write(tmp_path / "dump")
    arguments = ["import", "--dump", source, "--data", data]
    with subprocess.Popen(
        [sys.executable, "-c", STOPS_AND_WAITS, *arguments],
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(sent)
        _, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in error
    assert {path.name for path in data.iterdir()} <= {WORK_FILE, f"{WORK_FILE}-journal"}
    again = asked_for(monkeypatch)
    assert command(*arguments) == 0
    assert len(again) == 21
    assert report_of(data)["written: duplicates"] == 20


@pytest.mark.parametrize("limit", [20_000, 70_000])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    limit: int, data: Path, tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: both fail in `write`."""
    source = large_dump(300).write(tmp_path / "dump")
    done = subprocess.run(
        [sys.executable, "-m", "services.faq", "import", "--dump", source, "--data", data],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "make room and run the same command again" in done.stderr.splitlines()[-1]
    assert "without --restart an import of a dump goes on from here" in done.stderr.splitlines()[-1]
    assert {path.name for path in data.iterdir()} <= {WORK_FILE, f"{WORK_FILE}-journal"}
    assert command("import", "--dump", source, "--data", data) == 0
    assert report_of(data)["written: originals"] == 300
