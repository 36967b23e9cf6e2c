"""Classifying a picture, against a network with real ImageNet weights."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHOTOGRAPHS, OpenPage, Site

FLOWER = PHOTOGRAPHS / "flower.jpg"


@pytest.fixture
def page(open_page: OpenPage, site: Site) -> Page:
    """The page, with its second tab open."""
    return open_page(site, "/#classify")


def expect_first_class(page: Page, label: str) -> None:
    expect(page.locator(".class-label").first).to_have_text(label)
    expect(page.locator(".class")).to_have_count(5)
    expect(page.locator("#classify [role=status]")).to_have_text(f"Most likely: {label}")


@pytest.mark.parametrize(("name", "label"), [("Flower", "daisy"), ("Tower", "palace")])
def test_an_example_is_classified(page: Page, name: str, label: str) -> None:
    page.get_by_role("button", name=name).click()
    expect_first_class(page, label)
    picture = page.locator(".preview img")
    assert (picture.get_attribute("src") or "").startswith("blob:")
    assert len(picture.get_attribute("alt") or "") > 20
    assert picture.evaluate("img => img.naturalWidth") == 640


def test_a_picture_is_chosen_as_a_file(page: Page) -> None:
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose a picture").click()
    chosen.value.set_files(FLOWER)
    expect_first_class(page, "daisy")
    expect(page.locator(".preview figcaption")).to_have_text("flower.jpg")


def test_the_same_file_can_be_chosen_again(page: Page) -> None:
    for _ in range(2):
        with page.expect_response("**/api/classify") as response:
            page.locator("#picture").set_input_files(FLOWER)
        assert response.value.status == 200


def test_a_picture_is_pasted(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    png = io.BytesIO()
    Image.open(FLOWER).save(png, "PNG")
    page.evaluate(
        """async (base64) => {
            const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(png.getvalue()).decode(),
    )
    page.keyboard.press("Control+V")
    expect_first_class(page, "daisy")


def drag(page: Page, selector: str, file: Path, *steps: str) -> None:
    """Drag a file over an element, as the operating system would tell the browser."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    for step in steps:
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": step,
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "data": {"items": [], "files": [str(file)], "dragOperationsMask": 1},
            },
        )


def test_a_picture_is_dropped(page: Page) -> None:
    drag(page, "#drop", FLOWER, "dragEnter", "dragOver")
    expect(page.locator("#drop.over")).to_be_visible()
    drag(page, "#drop", FLOWER, "drop")
    expect_first_class(page, "daisy")
    expect(page.locator("#drop.over")).to_have_count(0)


def test_a_picture_dropped_beside_the_frame_does_not_replace_the_page(
    page: Page, site: Site
) -> None:
    drag(page, ".brand", FLOWER, "dragEnter", "dragOver", "drop")
    expect_first_class(page, "daisy")
    assert page.url.startswith(site.url)


def test_a_picture_dropped_on_the_other_tab_does_nothing(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    drag(page, ".brand", FLOWER, "dragEnter", "dragOver", "drop")
    page.wait_for_timeout(300)
    assert page.url == f"{site.url}/"
    assert page.locator(".preview").count() == 0


def test_a_file_that_is_no_picture_is_refused_at_once(page: Page, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no picture")
    page.locator("#picture").set_input_files(notes)
    expect(page.get_by_role("alert").get_by_text("That is not a picture")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_file_that_only_calls_itself_a_picture_is_refused_by_the_service(
    page: Page, tmp_path: Path
) -> None:
    fake = tmp_path / "fake.png"
    fake.write_text("no picture")
    page.locator("#picture").set_input_files(fake)
    expect(page.get_by_role("alert")).to_contain_text("not a JPEG, PNG, WebP, GIF or BMP")


def test_a_damaged_picture_is_refused_by_the_service(page: Page, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(FLOWER.read_bytes()[:20_000])
    page.locator("#picture").set_input_files(damaged)
    expect(page.get_by_role("alert").get_by_text("That cannot be used")).to_be_visible()


def test_a_picture_that_is_too_large_is_not_even_sent(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff" * (8 * 1024 * 1024 + 1))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.locator("#picture").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("A picture may have 8 MiB.")
    assert not [url for url in sent if url.endswith("/api/classify")]
