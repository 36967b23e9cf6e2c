"""Which requests need the model, told by their path alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_PART: Final = re.compile(r"<(\w+)>")
Match = tuple[str, Mapping[str, str]]


class ScoringPaths:
    """The paths of a service's operations, some of which have parts such as ``<model_name>``."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self._fixed: Mapping[str, Match] = {
            rule: (rule, {}) for rule in rules if not _PART.search(rule)
        }
        self._patterns = [(_pattern(rule), rule) for rule in rules if _PART.search(rule)]

    def match(self, path: str) -> Match | None:
        """The rule that ``path`` follows, and its parts; None if it does not need the model."""
        if found := self._fixed.get(path):
            return found
        for pattern, rule in self._patterns:
            if parts := pattern.fullmatch(path):
                return rule, parts.groupdict()
        return None


def _pattern(rule: str) -> re.Pattern[str]:
    pieces = _PART.split(rule)
    texts = [re.escape(piece) for piece in pieces]
    texts[1::2] = [f"(?P<{name}>[^/:]+)" for name in pieces[1::2]]
    return re.compile("".join(texts))
