"""Prices kept in a file: fresh, old, broken, in another currency, half written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cost.price_book import NoPrices, PriceBook
from infra.cost.retail_prices import PricesUnreachable
from tests.infra.cost.price_list import item

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ITEM = item("NAT Gateway", "NAT Gateway", "Standard Gateway", 0.04)


class Ask:
    def __init__(self, price: float = 0.04, fails: bool = False) -> None:
        self.asked: list[str] = []
        self.price, self.fails = price, fails

    def __call__(self, filter_: str, currency: str) -> list[dict[str, Any]]:
        self.asked.append(filter_)
        if self.fails:
            raise PricesUnreachable("prices.azure.com cannot be reached (ConnectionError)")
        return [{**ITEM, "retailPrice": self.price, "currencyCode": currency}]


def book(path: Path, ask: Ask | None, *, days: float = 0, **further: Any) -> PriceBook:
    return PriceBook(path, "USD", ask=ask, now=lambda: NOW + timedelta(days=days), **further)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one answer of today."""
    path = tmp_path / "deep" / "prices.json"
    first = book(path, Ask())
    first.prices("f")
    first.save()
    return path


def test_a_fresh_file_is_enough(path: Path) -> None:
    ask = Ask(9)
    later = book(path, ask, days=6)
    assert later.prices("f")[0].retailPrice == 0.04
    assert ask.asked == []
    assert later.oldest == NOW


def test_an_old_one_is_asked_for_again_and_so_is_any_with_refresh(path: Path) -> None:
    assert book(path, Ask(9), days=8).prices("f")[0].retailPrice == 9
    assert book(path, Ask(9), refresh=True).prices("f")[0].retailPrice == 9


def test_where_nobody_answers_the_old_one_is_used_and_said_so(path: Path) -> None:
    ask = Ask(fails=True)
    old = book(path, ask, days=90)
    assert old.prices("f")[0].retailPrice == 0.04
    assert old.oldest == NOW
    assert old.troubles == ["no newer prices: prices.azure.com cannot be reached (ConnectionError)"]
    with pytest.raises(NoPrices, match="cannot be reached"):
        old.prices("another")
    assert ask.asked == ["f"]


def test_offline_and_without_a_file_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(NoPrices, match="none can be had") as none:
        book(tmp_path / "none.json", None).prices("f")
    assert len(str(none.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"version": 2, "currency": "USD", "pages": {}}',
        '{"version": 1, "currency": "USD", "pages": {"f": {"asked": "2026-11-28", "items": [{}]}}}',
        '{"version": 1, "currency": "USD", "pages": {"f": {"asked": "2026-11-28T00:00:00", "items": []}}}',
        '{"version": 1, "currency": "no\\ncurrency", "pages": {}}',
    ],
)
def test_a_file_that_is_no_price_book_is_not_used(tmp_path: Path, content: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(content, encoding="utf-8")
    broken = book(path, Ask(7))
    assert broken.prices("f")[0].retailPrice == 7
    assert broken.troubles == [f"{path} is no price book, and is not used"]


def test_prices_of_another_currency_are_not_mixed(path: Path) -> None:
    euro = PriceBook(path, "EUR", ask=None, now=lambda: NOW)
    with pytest.raises(NoPrices):
        euro.prices("f")


def test_a_file_of_the_users_that_is_no_price_book_is_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my own", encoding="utf-8")
    with pytest.raises(NoPrices) as refused:
        book(notes, Ask(), named=True)
    assert str(refused.value) == f"{notes} is no price book; give --prices another file"


def test_an_empty_file_of_the_users_is_filled(tmp_path: Path) -> None:
    empty = tmp_path / "prices.json"
    empty.touch()
    filled = book(empty, Ask(), named=True)
    filled.prices("f")
    filled.save()
    assert empty.stat().st_size


def test_a_file_of_the_users_that_cannot_be_read_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(NoPrices) as refused:
        book(tmp_path, Ask(), named=True)
    assert str(refused.value) == f"{tmp_path} cannot be read: Is a directory"


def test_a_file_of_the_users_with_another_currency_is_refused(path: Path) -> None:
    with pytest.raises(NoPrices) as refused:
        PriceBook(path, "EUR", ask=Ask(), named=True)
    assert str(refused.value) == f"{path} holds prices in USD; give --currency USD"


def test_a_book_that_asked_for_nothing_writes_nothing(path: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "none.json"
    book(nowhere, Ask()).save()
    assert not nowhere.exists()
    before = path.stat().st_ino
    fresh = book(path, Ask(fails=True), refresh=True)
    fresh.prices("f")
    fresh.save()
    assert path.stat().st_ino == before


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    second = book(path, Ask(9), refresh=True)
    second.prices("f")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        second.save()
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert json.loads(before)["pages"]["f"]["asked"].startswith("2026-11-28T12:00:00")
