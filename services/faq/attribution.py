"""Who wrote the texts of the data, where they are from, and under which licence.

The data's three files have no place for it, so it is in a fourth beside them: gzip, UTF-8, one
JSON object a line, of originals, answers and duplicates. Data without that file has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.faq.records import LONGEST_LINE, DataError, decompressed

ATTRIBUTION_FILE: Final = "attribution.jsonl.gz"

Kind = Literal["original", "duplicate", "answer"]


class Attribution(BaseModel):
    """Where one text is from; a field that is not known is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    id: int
    """The Id that the text has in the file of its kind."""
    source_id: str | None = None
    """The id that its question has where it is from, if that is no whole number."""
    url: str | None = None
    author: str | None = None
    author_url: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    created: str | None = None

    def line(self) -> bytes:
        """Return it as a line of the file, without what is not known."""
        return orjson.dumps(self.model_dump(exclude_none=True)) + b"\n"


def read_attributions(folder: Path) -> Iterator[Attribution]:
    """Yield the attributions of a data folder, in the order of the file; none if it has no file.

    Raises:
        DataError: the file is damaged, or a line is not what it should be.
    """
    path = folder / ATTRIBUTION_FILE
    if not path.exists():
        return
    with decompressed(path) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            yield _parsed(path, number, line)


def _parsed(path: Path, number: int, line: bytes) -> Attribution:
    try:
        return Attribution.model_validate_json(line)
    except ValidationError:
        raise DataError(f"{path}: line {number}: is not an attribution") from None
