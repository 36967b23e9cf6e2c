"""What a benchmark found: tables, and the lines it was to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """A table of a result, cells already formatted; a folded one opens on the page by a click."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_folded: bool = False

    def markdown(self) -> str:
        """The table in Markdown, aligned so that it reads as plain text too."""
        lines = [list(self.columns), *(list(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        text = ["| " + " | ".join(_pad(line, widths)) + " |" for line in lines]
        text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        if self.is_folded:
            summary = f"<details><summary>{self.title}</summary>"
            return "\n".join([summary, "", *text, "", "</details>"])
        return f"**{self.title}**\n\n" + "\n".join(text)


@dataclass(frozen=True)
class Target:
    """A line that the benchmark was to reach."""

    text: str
    figure: str
    reached: bool


@dataclass(frozen=True)
class Result:
    """One benchmark's outcome.

    Attributes:
        name: the benchmark, and the last word of its command.
        title: a heading.
        notes: what was compared with what, one paragraph each.
        images: files under docs/images, in the order to show them.
    """

    name: str
    title: str
    notes: Sequence[str]
    tables: Sequence[Table]
    targets: Sequence[Target]
    images: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """The result as it is printed."""
        parts = [f"# {self.title}", *self.notes, *(table.markdown() for table in self.tables)]
        if self.targets:
            parts.append(targets_table(self.targets).markdown())
        return "\n\n".join(parts)


def targets_table(targets: Sequence[Target]) -> Table:
    """The targets as a table."""
    rows = [(target.text, target.figure, "yes" if target.reached else "no") for target in targets]
    return Table("Targets", ("target", "measured", "reached"), rows)


def _pad(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
