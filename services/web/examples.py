"""The example questions and pictures that the page offers."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

EXAMPLES_FILE = Path(__file__).parent / "examples.toml"


class ExampleQuestion(BaseModel):
    """A question as a person would ask it, and a few words to name it by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    question: str


class ExamplePicture(BaseModel):
    """A picture under ``static/examples``, what it shows, and whose it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    alternative: str
    file: str
    credit: str
    credit_url: str


class Examples(BaseModel):
    """All examples, in the order in which the page shows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    questions: tuple[ExampleQuestion, ...]
    pictures: tuple[ExamplePicture, ...]


def load_examples(path: Path = EXAMPLES_FILE) -> Examples:
    """The examples in a TOML file."""
    return Examples.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
