"""Which requests need the model, told by their path alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_PART: Final = re.compile(r"<\w+>")


class ScoringPaths:
    """The paths of a service's operations, some of which have parts such as ``<model_name>``."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self._fixed = frozenset(rule for rule in rules if not _PART.search(rule))
        self._patterns = [(_pattern(rule), rule) for rule in rules if _PART.search(rule)]

    def rule(self, path: str) -> str | None:
        """The rule that ``path`` follows; None if it does not need the model."""
        if path in self._fixed:
            return path
        for pattern, rule in self._patterns:
            if pattern.fullmatch(path):
                return rule
        return None


def _pattern(rule: str) -> re.Pattern[str]:
    return re.compile("[^/:]+".join(map(re.escape, _PART.split(rule))))
