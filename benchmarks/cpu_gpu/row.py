"""What was measured of one deployment, and the file that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from client.written_file import write_file


class NotUsable(Exception):
    """A run that must not become a row, or a file that holds none; one line."""


class Point(BaseModel):
    """Throughput, pictures a second, and latency, milliseconds, at one load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    load: float = Field(description="callers, or offered requests a second")
    throughput: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Row(BaseModel):
    """One deployment. `device` is what the service itself reports after it ran there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pods: int = Field(ge=1)
    device: str
    backend: str
    model: str
    usd_per_hour: float | None = Field(None, gt=0)
    saturation: float = Field(gt=0, description="pictures a second")
    callers: int = Field(description="concurrency of the saturation")
    levels: tuple[Point, ...]
    comfortable: Point = Field(description="at 70 % of the saturation, as an open system")
    machine: str
    date: str

    def pictures_per_usd(self) -> float | None:
        """At saturation."""
        return 3600 * self.saturation / self.usd_per_hour if self.usd_per_hour else None


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a file, one JSON object a line; none where there is no file.

    Raises NotUsable, naming the line, for one that is no row.
    """
    if not path.exists():
        return []
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError:
            raise NotUsable(f"{path}: line {number} is no row of this benchmark") from None
    return rows


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write all rows, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, "".join(row.model_dump_json() + "\n" for row in rows).encode())
