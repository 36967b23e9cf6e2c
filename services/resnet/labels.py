"""What each output of the network stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


class LabelsError(Exception):
    """labels.json cannot be read as a list of labels; the message is one line."""


class Label(BaseModel):
    """One class of the network.

    `label` is its short name; `synset` holds all the words of its WordNet synset, and `wordnet_id`
    that synset's identifier; both are empty for classes that are not WordNet's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    label: str
    wordnet_id: str = ""
    synset: str = ""

    @property
    def predecessor_text(self) -> str:
        """A line of MXNet's synset.txt, such as "n02127052 lynx, catamount"; else the label."""
        return f"{self.wordnet_id} {self.synset}" if self.wordnet_id else self.label


_LABELS = TypeAdapter(list[Label])


def write_labels(labels: Sequence[Label], path: Path) -> None:
    """Write `labels` to `path` as JSON, in the order of the network's outputs."""
    path.write_bytes(_LABELS.dump_json(list(labels), indent=1) + b"\n")


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read labels that `write_labels` wrote.

    Raises LabelsError when the file holds none.
    """
    try:
        labels = _LABELS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise LabelsError(f"{path.name}: {error.errors()[0]['msg']}") from None
    if not labels:
        raise LabelsError(f"{path.name}: holds no labels")
    return tuple(labels)


def read_label_file(path: Path) -> tuple[Label, ...]:
    """Read labels.json, or a text file with one label a line.

    Raises LabelsError when the file is missing or holds none.
    """
    try:
        if path.suffix == ".json":
            return read_labels(path)
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise LabelsError(f"{path.name}: is not text in UTF-8") from None
    except OSError as error:
        raise LabelsError(f"{path.name}: {(error.strerror or 'cannot be read').lower()}") from None
    labels = tuple(Label(label=line) for line in lines if line)
    if not labels:
        raise LabelsError(f"{path.name}: holds no labels")
    return labels
