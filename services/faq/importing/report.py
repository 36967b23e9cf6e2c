"""What an import did, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class ImportReport:
    """What was read, kept, left out and written.

    Attributes:
        source: the files that were read, and how.
        counts: numbers by what they count, in groups that end with a colon.
    """

    source: Mapping[str, Any]
    counts: Mapping[str, int]

    def json(self) -> bytes:
        """Return the report as a JSON document."""
        document = {"source": self.source, "counts": self._sorted()}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"

    def table(self) -> str:
        """Return the counts as lines, one each."""
        width = max(len(f"{count:,}") for count in self.counts.values())
        return "\n".join(f"{count:>{width},}  {what}" for what, count in self._sorted().items())

    def _sorted(self) -> dict[str, int]:
        """What was read, then what was left out, then what was written; zeros are left out."""
        return {
            what: count
            for what, count in sorted(self.counts.items(), key=lambda item: _order(item[0]))
            if count
        }


_GROUPS = ("PostLinks.xml", "Posts.xml", "Users.xml", "table", "posts", "links", "left out",
           "duplicates", "answers", "licence", "written")  # fmt: skip


def _order(what: str) -> tuple[int, str]:
    group = what.partition(":")[0]
    return (_GROUPS.index(group) if group in _GROUPS else 0, what)
