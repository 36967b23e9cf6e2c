"""Data comes from a folder, or is fetched from an address, checked and kept."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from services.faq.golden import GOLDEN_FILE
from services.faq.records import FILES, SPLIT_FILE, DataError
from services.faq.source import BESIDE, data_folder
from tests.local_server import address_of, served
from tests.services.faq.conftest import Small


@dataclass
class FileServer:
    url: str
    requested: list[str] = field(default_factory=list)


@dataclass
class Published(FileServer):
    """Data at an address that changes, with a golden set and a split."""

    folder: Path = Path()

    def changed(self, *names: str) -> list[str]:
        """Give some of the files other content; return the hashes of the three."""
        for name in names:
            content = gzip.decompress((self.folder / name).read_bytes())
            (self.folder / name).write_bytes(gzip.compress(content, mtime=1))
        return [hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in FILES]

    def give(self, files: dict[str, bytes]) -> None:
        """Have these files at the address."""
        for name, content in files.items():
            (self.folder / name).write_bytes(content)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the data, and what lies beside it."""
    return {
        name: (folder / name).read_bytes() for name in (*FILES, *BESIDE) if (folder / name).exists()
    }


@contextmanager
def serving(folder: Path) -> Iterator[FileServer]:
    requested: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            requested.append(self.path)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing of what is not there."""

    handler = partial(Handler, directory=str(folder))
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as http:
        yield FileServer(f"{address_of(http)}/", requested)


@pytest.fixture
def server(small: Small) -> Iterator[FileServer]:
    with serving(small.folder) as server:
        yield server


@pytest.fixture
def published(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = Path(shutil.copytree(small.folder, tmp_path_factory.mktemp("published") / "data"))
    for name in (GOLDEN_FILE, SPLIT_FILE):
        (folder / name).write_text("old")
    with serving(folder) as server:
        yield Published(server.url, server.requested, folder)


@pytest.fixture
def hashes(small: Small) -> list[str]:
    return [hashlib.sha256((small.folder / name).read_bytes()).hexdigest() for name in FILES]


def test_files_are_fetched_once_and_kept(
    server: FileServer, small: Small, hashes: list[str], tmp_path: Path
) -> None:
    kept = data_folder(server.url, tmp_path, hashes)
    assert data_folder(server.url, tmp_path, hashes) == kept
    assert server.requested == [f"/{name}" for name in (FILES[0], *BESIDE, *FILES[1:])]
    for name in FILES:
        assert (kept / name).read_bytes() == (small.folder / name).read_bytes()


def test_files_of_different_addresses_are_kept_apart(server: FileServer, tmp_path: Path) -> None:
    kept = data_folder(server.url, tmp_path, [])
    assert data_folder(f"{server.url}./", tmp_path, []) != kept
    assert len(server.requested) == 2 * len((*BESIDE, *FILES))


def test_what_lies_beside_the_data_comes_with_it(
    server: FileServer, small: Small, hashes: list[str], tmp_path: Path
) -> None:
    """Or a golden set would hold where data comes from a folder, and not where it is fetched."""
    golden = small.folder / GOLDEN_FILE
    golden.write_text("{}")
    kept = data_folder(server.url, tmp_path, hashes)
    assert (kept / GOLDEN_FILE).read_text() == "{}"
    golden.unlink()


def test_without_hashes_it_is_said_since_when_the_data_is_kept(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = data_folder(server.url, tmp_path, [])
    assert "kept since" not in capsys.readouterr().err
    assert data_folder(server.url, tmp_path, []) == kept
    assert "kept since 20" in capsys.readouterr().err


def test_a_kept_file_with_the_wrong_hash_is_fetched_again(
    server: FileServer, small: Small, hashes: list[str], tmp_path: Path
) -> None:
    kept = data_folder(server.url, tmp_path, hashes)
    (kept / FILES[1]).write_bytes(b"old")
    data_folder(server.url, tmp_path, hashes)
    assert (kept / FILES[1]).read_bytes() == (small.folder / FILES[1]).read_bytes()


def test_with_other_data_comes_what_lies_beside_it(
    published: Published, hashes: list[str], tmp_path: Path
) -> None:
    """Or the split and the golden set of the old questions would be taken for those of the new."""
    kept = data_folder(published.url, tmp_path, hashes)
    (published.folder / GOLDEN_FILE).write_text("new")
    (published.folder / SPLIT_FILE).unlink()
    data_folder(published.url, tmp_path, published.changed(FILES[0]))
    assert (kept / GOLDEN_FILE).read_text() == "new"
    assert {file.name for file in kept.iterdir()} == {*FILES, GOLDEN_FILE}
    assert list(tmp_path.iterdir()) == [kept]


def test_other_data_that_cannot_be_fetched_leaves_what_is_kept(
    published: Published, hashes: list[str], tmp_path: Path
) -> None:
    kept = data_folder(published.url, tmp_path, hashes)
    before = {file: file.read_bytes() for file in kept.iterdir()}
    changed = published.changed(*FILES)
    (published.folder / GOLDEN_FILE).write_text("new")
    last = (published.folder / FILES[2]).read_bytes()
    (published.folder / FILES[2]).unlink()
    with pytest.raises(DataError, match="the server answered 404"):
        data_folder(published.url, tmp_path, changed)
    assert {file: file.read_bytes() for file in kept.iterdir()} == before
    assert data_folder(published.url, tmp_path, hashes) == kept
    (published.folder / FILES[2]).write_bytes(last)
    published.requested.clear()
    data_folder(published.url, tmp_path, changed)
    assert (kept / GOLDEN_FILE).read_text() == "new"
    assert published.requested == [f"/{name}" for name in (*BESIDE, FILES[2])]


@contextmanager
def interrupted_at(step: int) -> Iterator[None]:
    """Stop before that step of those which move, copy or remove files, as Ctrl-C does."""
    steps = count()

    def stopping(do: Callable[..., object]) -> Callable[..., object]:
        def stopped_or_done(*arguments: object, **options: object) -> object:
            if next(steps) == step:
                raise KeyboardInterrupt
            return do(*arguments, **options)

        return stopped_or_done

    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        for place, name in ((Path, "replace"), (shutil, "copy2"), (shutil, "rmtree")):
            patch.setattr(place, name, stopping(getattr(place, name)))
        yield


@pytest.mark.parametrize("then", ["old", "new", "any"])
def test_an_interruption_mixes_no_data(
    then: str, published: Published, hashes: list[str], tmp_path: Path
) -> None:
    """Whatever is asked for next, the split and the golden set are those of the questions."""
    old = files_in(published.folder)
    data_folder(published.url, tmp_path / "old", hashes)
    new_hashes = published.changed(*FILES[:2])
    new = files_in(published.folder) | {GOLDEN_FILE: b"new", SPLIT_FILE: b"new"}
    asked = {"old": hashes, "new": new_hashes, "any": []}[then]
    expected = {"old": [old], "new": [new], "any": [old, new]}[then]
    for step in range(10):
        downloads = Path(shutil.copytree(tmp_path / "old", tmp_path / f"{step}"))
        published.give(new)
        with interrupted_at(step):
            data_folder(published.url, downloads, new_hashes)
        if then == "old":
            published.give(old)
        kept = data_folder(published.url, downloads, asked)
        assert files_in(kept) in expected, step
        assert then != "new" or list(downloads.iterdir()) == [kept], step


def test_data_that_is_fetched_anew_has_nothing_of_an_earlier_attempt(
    published: Published, hashes: list[str], tmp_path: Path
) -> None:
    kept = data_folder(published.url, tmp_path, hashes)
    with pytest.raises(DataError, match="expected 0000"):
        data_folder(published.url, tmp_path, [published.changed(FILES[0])[0], *["0" * 64] * 2])
    shutil.rmtree(kept)
    data_folder(published.url, tmp_path, [])
    assert files_in(kept) == files_in(published.folder)
    assert list(tmp_path.iterdir()) == [kept]


def test_data_that_was_replaced_is_not_taken_where_the_new_was_removed(
    published: Published, hashes: list[str], tmp_path: Path
) -> None:
    """As after an interruption, when a person removes the folder to have the data anew."""
    kept = data_folder(published.url, tmp_path, hashes)
    kept.replace(kept.with_name(f"{kept.name}.old"))
    published.changed(*FILES)
    data_folder(published.url, tmp_path, [])
    assert files_in(kept) == files_in(published.folder)
    assert list(tmp_path.iterdir()) == [kept]


def test_a_file_with_another_hash_than_expected_is_refused(
    server: FileServer, hashes: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"has SHA-256 .* expected 0000"):
        data_folder(server.url, tmp_path, [*hashes[:2], "0" * 64])
    assert not list(tmp_path.rglob(FILES[2]))


def test_a_file_that_the_server_has_not_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the server answered 404"):
        data_folder(f"{server.url}nothing", tmp_path, [])


def test_a_folder_is_used_where_it_is(small: Small, hashes: list[str], tmp_path: Path) -> None:
    assert data_folder(str(small.folder), tmp_path, hashes) == small.folder
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_another_hash_is_refused(
    small: Small, hashes: list[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"dup-q\.tsv\.gz: has another SHA-256"):
        data_folder(str(small.folder), tmp_path, [hashes[0], hashes[0], hashes[2]])
