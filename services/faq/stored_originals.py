"""The texts that answers show: one after the other in a file, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from services.faq.attribution import Attribution

REMEMBERED: Final = 1_024
"""How many originals are worth keeping once they were shown: some are far more often than others."""

Int64s = NDArray[np.int64]


class StoredOriginal(BaseModel):
    """An original as answers show it; `html` and `answer_html` are HTML as in the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    answer_id: int
    title: str
    url: str | None = None
    html: str
    answer_html: str
    attribution: Attribution | None = None
    answer_attribution: Attribution | None = None

    @property
    def source_id(self) -> str | None:
        """The id that it has where it is from, if that is no whole number."""
        return self.attribution.source_id if self.attribution else None


@dataclass(frozen=True, eq=False)
class StoredOriginals(Sequence[StoredOriginal]):
    """Originals by position, ascending by id: number `i` is JSON that ends at byte `ends[i]`."""

    ids: Int64s
    answer_ids: Int64s
    ends: Int64s
    texts: NDArray[np.uint8]

    @classmethod
    def of(cls, originals: Iterable[StoredOriginal]) -> StoredOriginals:
        """Keep originals in memory, in the same form as in the file."""
        ids: list[tuple[int, int]] = []
        texts: list[bytes] = []
        for original in originals:
            ids.append((original.id, original.answer_id))
            texts.append(orjson.dumps(original.model_dump(exclude_none=True)))
        both = np.asarray(ids, np.int64).reshape(-1, 2)
        return cls(
            ids=np.ascontiguousarray(both[:, 0]),
            answer_ids=np.ascontiguousarray(both[:, 1]),
            ends=np.cumsum([len(text) for text in texts], dtype=np.int64),
            texts=np.frombuffer(b"".join(texts), np.uint8),
        )

    def and_new(self, new: StoredOriginals) -> tuple[StoredOriginals, Int64s]:
        """Return both together by id, and of each, which it is: of the new, counted after these."""
        ids = np.concatenate((self.ids, new.ids))
        order = np.argsort(ids, kind="stable")
        ends = np.concatenate((self.ends, new.ends + len(self.texts)))
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        both = np.concatenate((self.texts, new.texts))
        texts = [both[starts[each] : ends[each]] for each in order.tolist()]
        merged = StoredOriginals(
            ids=ids[order],
            answer_ids=np.concatenate((self.answer_ids, new.answer_ids))[order],
            ends=np.cumsum((ends - starts)[order]),
            texts=np.concatenate([np.zeros(0, np.uint8), *texts]),
        )
        return merged, order

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> StoredOriginal: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[StoredOriginal]: ...
    def __getitem__(self, index: int | slice) -> StoredOriginal | Sequence[StoredOriginal]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return StoredOriginal.model_validate_json(self.json(index))

    def __iter__(self) -> Iterator[StoredOriginal]:
        return (self[number] for number in range(len(self)))

    def json(self, index: int) -> bytes:
        """Return an original as JSON."""
        number = range(len(self))[index]
        start = int(self.ends[number - 1]) if number else 0
        return self.texts[start : int(self.ends[number])].tobytes()
