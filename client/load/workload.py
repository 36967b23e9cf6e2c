"""What is sent: a path, a content type and the bodies, which are sent in turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from client.load.generated_picture import generated_picture
from client.load.generated_questions import generated_questions
from client.picture import media_type_of

QUESTIONS_LIMIT = 10_000
QUESTIONS_FILE_LIMIT = 64 << 20


@dataclass(frozen=True)
class Workload:
    """The requests of a load test.

    Attributes:
        name: for reports.
        path: path and query of the POST requests.
        content_type: of all bodies.
        bodies: sent one after another, then from the first again.
        description: one line on what the bodies are.
    """

    name: str
    path: str
    content_type: str
    bodies: Sequence[bytes] = field(repr=False)
    description: str = ""


def faq_workload(questions: Sequence[str] | None = None, *, top_k: int = 10) -> Workload:
    """Questions for ``POST /v1/match``; generated ones of about 400 characters by default."""
    chosen = generated_questions() if questions is None else questions
    bodies = [json.dumps({"question": each, "top_k": top_k}).encode() for each in chosen]
    mean = sum(len(each) for each in chosen) / len(chosen)
    return Workload(
        name="faq",
        path="/v1/match",
        content_type="application/json",
        bodies=bodies,
        description=f"{len(bodies)} questions, {mean:.0f} characters on average",
    )


def resnet_workload(picture: bytes | None = None, *, top_k: int = 5) -> Workload:
    """One picture for ``POST /v1/classify``; a generated JPEG of 500 by 375 by default."""
    body = generated_picture() if picture is None else picture
    content_type = media_type_of(body)
    return Workload(
        name="resnet",
        path=f"/v1/classify?top_k={top_k}",
        content_type=content_type,
        bodies=[body],
        description=f"one picture, {content_type}, {len(body):,} bytes",
    )


def read_questions(path: Path) -> list[str]:
    """Questions of a text file, one a line; empty lines are left out.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds none, is not UTF-8 or is too large.
    """
    with path.open("rb") as stream:
        content = stream.read(QUESTIONS_FILE_LIMIT + 1)
    if len(content) > QUESTIONS_FILE_LIMIT:
        raise ValueError(f"is larger than {QUESTIONS_FILE_LIMIT >> 20} MiB")
    try:
        lines = [line.strip() for line in content.decode("utf-8").splitlines()]
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    questions = [line for line in lines if line]
    if not questions:
        raise ValueError("holds no question")
    if len(questions) > QUESTIONS_LIMIT:
        raise ValueError(f"holds more than {QUESTIONS_LIMIT:,} questions")
    return questions
