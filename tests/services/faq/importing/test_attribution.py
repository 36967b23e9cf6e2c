"""Author, address and licence of every text are written beside the data."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from services.faq.api import MatchResponse
from services.faq.app import load
from services.faq.attribution import ATTRIBUTION_FILE, Attribution, read_attributions
from services.faq.importing.sites import host_of, licence_of, licence_url
from services.faq.records import DataError
from services.faq.settings import FaqSettings
from services.faq.storage import load_model
from services.faq.training_run import stored_originals
from tests.services.faq.conftest import Small
from tests.services.faq.importing.conftest import Dump, Import, command
from tests.services.faq.test_app import post


def test_every_text_has_its_author_address_and_licence(dump: Dump, imported: Import) -> None:
    found = imported(dump.user(7, "Ann O'Nym").user(8, "Bo").user(9, "nobody's"))
    assert set(found.attributions) == {
        ("original", 1), ("duplicate", 2), ("duplicate", 3), ("answer", 12)
    }  # fmt: skip
    assert found.attributions["original", 1] == Attribution(
        kind="original", id=1, url="https://stackoverflow.com/q/1", author="Ann O'Nym",
        author_url="https://stackoverflow.com/users/7", licence="CC BY-SA 3.0",
        licence_url="https://creativecommons.org/licenses/by-sa/3.0/",
        created="2012-05-06T07:08:09.100",
    )  # fmt: skip
    answer = found.attributions["answer", 12]
    assert (answer.url, answer.author) == ("https://stackoverflow.com/a/12", "Bo")
    assert found.count("licence: CC BY-SA 3.0") == 3
    assert found.count("licence: CC BY-SA 4.0") == 1


def test_without_users_the_profile_is_still_linked(dump: Dump, imported: Import) -> None:
    attribution = imported(dump).attributions["original", 1]
    assert attribution.author is None
    assert attribution.author_url == "https://stackoverflow.com/users/7"


def test_an_author_whose_account_is_gone_has_the_name_in_the_post(
    dump: Dump, imported: Import
) -> None:
    dump.question(5, OwnerUserId=None, OwnerDisplayName="user123").link(5, 1)
    attribution = imported(dump).attributions["duplicate", 5]
    assert (attribution.author, attribution.author_url) == ("user123", None)


@pytest.mark.parametrize(
    ("more", "licence"),
    [
        ({"CreationDate": "2011-04-07T23:59:59.999"}, "CC BY-SA 2.5"),
        ({"CreationDate": "2011-04-08T00:00:00.000"}, "CC BY-SA 3.0"),
        ({"CreationDate": "2018-05-01T23:59:59.999"}, "CC BY-SA 3.0"),
        ({"CreationDate": "2018-05-02T00:00:00.000"}, "CC BY-SA 4.0"),
        ({"CreationDate": "2010-01-01", "LastEditDate": "2012-01-01"}, "CC BY-SA 3.0"),
        ({"CreationDate": "2010-01-01", "ContentLicense": "CC BY-SA 4.0"}, "CC BY-SA 4.0"),
        ({"CreationDate": "2010-01-01", "ContentLicense": "mine!"}, "CC BY-SA 2.5"),
    ],
)
def test_the_licence_is_the_stated_one_or_that_of_the_date(
    dump: Dump, imported: Import, more: dict[str, str], licence: str
) -> None:
    found = imported(dump.question(5, **more).link(5, 1))
    assert found.attributions["duplicate", 5].licence == licence


def test_a_licence_that_is_none_of_these_has_no_address() -> None:
    assert licence_of("", "") == "CC BY-SA 2.5"
    assert licence_url("MIT") is None


@pytest.mark.parametrize(
    ("site", "host"),
    [
        ("stackoverflow", "stackoverflow.com"),
        ("StackOverflow.com", "stackoverflow.com"),
        ("pt.stackoverflow", "pt.stackoverflow.com"),
        ("unix", "unix.stackexchange.com"),
        ("mathoverflow", "mathoverflow.net"),
        ("unix.meta", "unix.meta.stackexchange.com"),
        ("superuser", "superuser.com"),
    ],
)
def test_a_site_is_its_host_or_its_name(site: str, host: str) -> None:
    assert host_of(site) == host


def test_data_without_attributions_has_none(tmp_path: Path) -> None:
    assert list(read_attributions(tmp_path)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "is not a gzip file"),
        (gzip.compress(b'{"kind": "original"}\n'), "line 1: is not an attribution"),
        (gzip.compress(b'{"kind": "answer", "id": 1}\n?\n'), "line 2: is not an attribution"),
        (gzip.compress(b'{"kind": "answer", "id": 1}\n' * 99)[:-9], "ends too early"),
    ],
)
def test_a_bad_file_of_attributions_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / ATTRIBUTION_FILE).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_attributions(tmp_path))


def test_a_model_keeps_them_and_answers_show_them(small: Small, tmp_path: Path) -> None:
    data = Path(shutil.copytree(small.folder, tmp_path / "data"))
    first = small.data.originals[0]
    texts = [
        Attribution(
            kind="original",
            id=first.id,
            url="https://a.example/q",
            author="Ann",
            source_id="KB 1/2",
        ),
        Attribution(kind="answer", id=first.answer_id, author="Bo", licence="CC BY-SA 4.0"),
    ]
    lines = b"".join(each.line() for each in texts)
    (data / ATTRIBUTION_FILE).write_bytes(gzip.compress(lines))
    model = tmp_path / "model"
    assert command("train", "--data", data, "--model", model) == 0
    stored = load_model(model).originals
    assert (stored[0].attribution, stored[0].answer_attribution) == tuple(texts)
    assert (stored[0].url, stored[1].url) == ("https://a.example/q", None)
    request = {"question": first.title, "top_k": 50, "include_answers": True}
    answer = post(load(FaqSettings(model=model)), "/v1/match", request)
    MatchResponse.model_validate(answer)
    shown = {each["question_id"]: each for each in answer["matches"]}
    assert shown[first.id]["attribution"]["author"] == "Ann"
    assert shown[first.id]["answer_attribution"]["licence"] == "CC BY-SA 4.0"
    assert shown[first.id]["source_id"] == "KB 1/2"
    assert not {"attribution", "source_id"} & shown[small.data.originals[1].id].keys()
    (addressed, *_) = stored_originals(stored, "https://faq.example/{id}")
    assert addressed.url == "https://faq.example/KB%201%2F2"
