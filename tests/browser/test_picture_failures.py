"""A picture that does not arrive, and a file that is not what it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import PHOTOGRAPHS, OpenPage, StubbedSite
from tests.services.web.upstream_stub import contract, problem

FLOWER = PHOTOGRAPHS / "flower.jpg"


@pytest.mark.parametrize(
    ("status", "title", "can_retry"),
    [
        (429, "Too many requests", True),
        (503, "The service is busy", True),
        (404, "That did not work", False),
    ],
)
def test_an_example_that_does_not_come_is_not_taken_for_a_picture(
    open_page: OpenPage, stubbed_site: StubbedSite, status: int, title: str, can_retry: bool
) -> None:
    def refuse(route: Route) -> None:
        body = json.dumps({"status": status, "detail": "Of the gateway."})
        route.fulfill(status=status, content_type="application/problem+json", body=body)

    page = open_page(stubbed_site)
    page.route("**/static/examples/**", refuse)
    page.get_by_role("tab", name="Classify").click()
    page.get_by_role("button", name="Flower").click()
    alert = page.locator("#classify").get_by_role("alert")
    expect(alert.get_by_role("heading", name=title)).to_be_visible()
    expect(alert).to_contain_text("Of the gateway.")
    expect(page.get_by_role("button", name="Try again")).to_have_count(1 if can_retry else 0)
    assert stubbed_site.resnet.received == []


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


@pytest.mark.parametrize("change", [Path.unlink, append])
def test_a_file_that_has_changed_since_it_was_chosen_is_said_to_have(
    open_page: OpenPage, stubbed_site: StubbedSite, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    refusals = iter([problem(503, "x")])
    stubbed_site.resnet.answer = lambda received: next(refusals, contract(received))
    picture = Path(shutil.copy(FLOWER, tmp_path))
    page = open_page(stubbed_site, "/#classify")
    page.locator("#picture").set_input_files(picture)
    expect(page.get_by_role("alert")).to_contain_text("The service is busy")
    change(picture)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="That file cannot be read")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
