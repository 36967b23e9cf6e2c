"""Prices kept in a file with the day on which they were asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.cost.price import Price, prices_of
from infra.cost.retail_prices import PricesUnreachable

FRESH_FOR = timedelta(days=7)
LARGEST_FILE_BYTES = 50_000_000
VERSION = 1


class NoPrices(Exception):
    """Neither the file nor the list has the prices; the message says why, in one line."""


class _Page(BaseModel):
    model_config = ConfigDict(frozen=True)
    asked: datetime
    items: list[dict[str, Any]]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)
    version: int = Field(ge=VERSION, le=VERSION)
    currency: str = Field(pattern="^[A-Z]{3}$")
    pages: dict[str, _Page]


def default_path(currency: str, environment: Mapping[str, str]) -> Path:
    """Where prices are kept, by the XDG base directory specification."""
    cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "realtime-scoring" / f"prices-{currency}.json"


class PriceBook:
    """Answers from its file where that is fresh, and else asks, and writes it down.

    Attributes:
        oldest: when the oldest price that was used was asked for; None before the first.
        troubles: why prices are older than they should be, a line each.
    """

    def __init__(
        self,
        path: Path,
        currency: str,
        *,
        ask: Callable[[str, str], list[dict[str, Any]]] | None,
        refresh: bool = False,
        named: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """A book.

        Args:
            path: its file, which need not be there.
            currency: of all its prices.
            ask: the price list; None to stay offline.
            refresh: ask even where the file is fresh.
            named: the file is one that the user named, and is not ours to replace unless it
                is a price book in this currency.
            now: the time.

        Raises:
            NoPrices: when a named file holds something else.
        """
        self.oldest: datetime | None = None
        self.troubles: list[str] = []
        self._path, self._currency, self._ask = path, currency, ask
        self._refresh, self._named, self._now = refresh, named, now
        self._pages = self._read()
        self._is_kept = True
        self._unreachable: str | None = None

    def prices(self, filter_: str) -> tuple[Price, ...]:
        """What the list has for an OData filter.

        Raises:
            NoPrices: when neither the file nor the list has it.
        """
        page = self._pages.get(filter_)
        if page is None or self._refresh or self._now() - page.asked > FRESH_FOR:
            page = self._asked(filter_) or page
        if page is None:
            why = self._unreachable or "--offline"
            raise NoPrices(f"no prices in {self._path}, and none can be had ({why})")
        self.oldest = min(self.oldest or page.asked, page.asked)
        return prices_of(page.items)

    def save(self) -> None:
        """Write what was asked for; the file is either the old one or the new one, never half.

        Where nothing was, the file is not touched.

        Raises:
            OSError: when it cannot be written.
        """
        if self._is_kept:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = _File(version=VERSION, currency=self._currency, pages=self._pages)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content.model_dump_json())
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _asked(self, filter_: str) -> _Page | None:
        if self._ask is None or self._unreachable is not None:
            return None
        try:
            items = self._ask(filter_, self._currency)
        except PricesUnreachable as error:
            # Asked once: the other questions would only wait for the same.
            self._unreachable = str(error)
            self.troubles.append(f"no newer prices: {error}")
            return None
        page = self._pages[filter_] = _Page(asked=self._now(), items=items)
        self._is_kept = False
        return page

    def _read(self) -> dict[str, _Page]:
        try:
            size = self._path.stat().st_size
            if self._named and not size and self._path.is_file():
                return {}
            if size > LARGEST_FILE_BYTES:
                raise ValueError("too large")
            file = _File.model_validate(json.loads(self._path.read_bytes()))
            for page in file.pages.values():
                prices_of(page.items)
                if page.asked.tzinfo is None:
                    raise ValueError("a time without a zone")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, ValidationError) as error:
            if self._named and isinstance(error, OSError):
                raise NoPrices(f"{self._path} cannot be read: {error.strerror}") from None
            if self._named:
                raise NoPrices(
                    f"{self._path} is no price book; give --prices another file"
                ) from None
            self.troubles.append(f"{self._path} is no price book, and is not used")
            return {}
        if file.currency == self._currency:
            return dict(file.pages)
        if self._named:
            raise NoPrices(
                f"{self._path} holds prices in {file.currency}; give --currency {file.currency}"
            )
        return {}
