"""`python -m infra.cost`: what it prints, its exit status, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cost import __main__ as cost
from tests.infra.cost.price_list import PriceList
from tests.infra.plans import recording_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where prices are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("infra.recording.record", lambda _settings, *, stack: recording_of(stack))
    return tmp_path / "realtime-scoring"


def test_the_estimate_has_lines_a_total_and_what_is_not_priced(
    prices: PriceList, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cost.main(["dev"], address=prices.url) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == "dev (Pulumi.dev.yaml), westeurope, USD a month"
    assert lines[1].endswith(", today's")
    assert any(line.split() == ["total", "203.18", "379.81"] for line in lines)
    assert "Not priced, and not in the total" in lines
    assert any(line.startswith("Free of charge: ") for line in lines)


def test_a_second_time_nobody_is_asked(
    prices: PriceList, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cost.main(["dev", "--json"], address=prices.url)
    asked = len(prices.asked)
    first = json.loads(capsys.readouterr().out)
    assert [path.name for path in cache.iterdir()] == ["prices-USD.json"]
    assert cost.main(["dev", "--json", "--offline"], address="http://127.0.0.1:1/") == 0
    assert json.loads(capsys.readouterr().out) == first
    cost.main(["dev"], address=prices.url)
    assert len(prices.asked) == asked
    cost.main(["dev", "--refresh"], address=prices.url)
    assert len(prices.asked) > asked


def test_offline_without_prices_is_one_line(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cost.main(["dev", "--offline"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"python -m infra.cost: no prices in {cache / 'prices-USD.json'}, and none can be had "
        "(--offline)\n"
    )


def test_the_currency_is_asked_for(
    prices: PriceList, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cost.main(["dev", "--currency", "eur", "--json"], address=prices.url) == 0
    assert json.loads(capsys.readouterr().out)["currency"] == "EUR"
    assert {query["currencyCode"] for query in prices.asked} == {"'EUR'"}
    assert (cache / "prices-EUR.json").is_file()


def test_a_file_that_cannot_be_written_is_told_and_costs_nothing_else(
    prices: PriceList, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    arguments = ["dev", "--prices", str(tmp_path / "taken" / "prices.json")]
    assert cost.main(arguments, address=prices.url) == 0
    assert "! prices cannot be kept" in capsys.readouterr().out


@pytest.mark.parametrize("further", [[], ["--offline"], ["--refresh"]])
def test_a_file_that_holds_something_else_is_refused_and_left_as_it_is(
    prices: PriceList, tmp_path: Path, capsys: pytest.CaptureFixture[str], further: list[str]
) -> None:
    euros, notes = tmp_path / "euros.json", tmp_path / "notes.txt"
    assert cost.main(["dev", "--currency", "EUR", "--prices", str(euros)], address=prices.url) == 0
    notes.write_text("my own", encoding="utf-8")
    before = euros.read_bytes()
    capsys.readouterr()
    for file in (euros, notes):
        assert cost.main(["dev", "--prices", str(file), *further], address=prices.url) == 2
    assert (euros.read_bytes(), notes.read_text(encoding="utf-8")) == (before, "my own")
    assert capsys.readouterr().err == (
        f"python -m infra.cost: {euros} holds prices in EUR; give --currency EUR\n"
        f"python -m infra.cost: {notes} is no price book; give --prices another file\n"
    )


def test_offline_writes_no_file(
    prices: PriceList, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cost.main(["dev", "--offline"])
    assert not cache.exists()
    cost.main(["dev"], address=prices.url)
    before = (cache / "prices-USD.json").stat().st_ino
    assert cost.main(["dev", "--offline"]) == 0
    assert (cache / "prices-USD.json").stat().st_ino == before


@pytest.mark.parametrize(
    "flags",
    [
        ["--currency", "EURO"],
        ["--traffic-gb", "-1"],
        ["--log-gb-per-day", "x"],
        ["--offline", "--refresh"],
    ],
)
def test_wrong_flags_exit_with_2(flags: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cost.main(["dev", *flags])
    assert exit_.value.code == 2


def test_a_stack_of_this_machine_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["local"]) == 1
    assert capsys.readouterr().err.endswith("runs on this machine, and costs nothing at Azure\n")


def test_an_interrupt_keeps_what_was_asked_for(
    prices: PriceList, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.cost.retail_prices import RetailPrices

    asked = RetailPrices.ask
    count = iter(range(100))

    def interrupted(self: RetailPrices, filter_: str, currency: str) -> object:
        if next(count) == 2:
            raise KeyboardInterrupt
        return asked(self, filter_, currency)

    monkeypatch.setattr(RetailPrices, "ask", interrupted)
    assert cost.main(["dev"], address=prices.url) == 130
    assert len(json.loads((cache / "prices-USD.json").read_bytes())["pages"]) == 2
