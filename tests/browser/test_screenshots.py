"""The pictures of the client application that the README shows.

``UPDATE_SCREENSHOTS=1 pytest tests/browser/test_screenshots.py`` writes them to ``docs/images``;
otherwise they are taken, looked at and thrown away.
"""

from __future__ import annotations

import io
import os
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from services.launch import ROOT
from tests.browser.conftest import OpenPage, Site

FOLDER = ROOT / "docs" / "images"


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ten comes before nine").click()
    expect(page.locator(".match")).to_have_count(5)


def classify(page: Page) -> None:
    page.get_by_role("tab", name="Classify").click()
    page.get_by_role("button", name="Flower").click()
    expect(page.locator(".class")).to_have_count(5)
    page.locator(".preview img").evaluate("image => image.decode()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("act", [ask, classify], ids=["ask", "classify"])
def test_the_page_can_be_shown(
    open_page: OpenPage, site: Site, act: object, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(site, width=1000, height=900, scheme=scheme, scale=1.5)
    assert callable(act)
    act(page)
    page.mouse.move(1, 1)
    shot = page.screenshot(animations="disabled", full_page=True)
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    assert picture.width == 1500
    colours = picture.getcolors(maxcolors=1 << 24)
    assert colours is not None
    assert len(colours) > 200, "something is on it"
    if os.environ.get("UPDATE_SCREENSHOTS"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"client-application-{act.__name__}-{scheme}.png").write_bytes(shot)
