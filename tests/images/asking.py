"""Real requests of the three services, and what a right answer is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import httpx
from PIL import Image

from infra.workload import WorkloadName
from services.launch import ROOT
from tests.images.containers import Container

EXAMPLES = ROOT / "services" / "web" / "static" / "examples"
QUESTION = "I want my program to pause for two seconds, is there a sleep function?"
KNOWN = "What is the JavaScript version of sleep()?"
JPEG = {"Content-Type": "image/jpeg"}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def ask(container: Container) -> httpx.Response:
    """The question of the question service."""
    return container.post("/v1/match", json={"question": QUESTION})


def classify(container: Container, picture: bytes = b"") -> httpx.Response:
    """A picture, by default of a daisy."""
    content = picture or (EXAMPLES / "flower.jpg").read_bytes()
    return container.post("/v1/classify", content=content)


def ask_page(container: Container) -> httpx.Response:
    """The question, as the page asks it."""
    return container.post("/api/ask", json={"question": QUESTION}, headers=SAME_ORIGIN)


REQUESTS: Mapping[WorkloadName, Callable[[Container], httpx.Response]] = {
    "faq": ask, "resnet": classify, "web": ask_page,
}  # fmt: skip


def is_right(workload: WorkloadName, answer: httpx.Response) -> bool:
    """Whether it is the answer that the model gives."""
    if answer.status_code != 200:
        return False
    if workload == "resnet":
        return answer.json()["predictions"][0]["label"] == "daisy"
    return answer.json()["matches"][0]["title"] == KNOWN


def large_picture(megapixels: int) -> bytes:
    """A PNG that is small as a file and large in memory."""
    side = int((megapixels * 1_000_000) ** 0.5)
    stream = BytesIO()
    Image.new("RGB", (side, side), (90, 140, 60)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
