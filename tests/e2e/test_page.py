"""The page in a browser, through TLS and the gateway, from image to image."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Site
from tests.e2e.conftest import Front
from tests.images.asking import EXAMPLES, KNOWN, QUESTION


def test_a_question_is_answered(open_page: OpenPage, page_site: Site) -> None:
    page = open_page(page_site)
    page.get_by_label("What do you want to know?").fill(QUESTION)
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".match-title").first).to_have_text(KNOWN)


def test_a_picture_is_classified(open_page: OpenPage, page_site: Site) -> None:
    page = open_page(page_site, "/#classify")
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose a picture").click()
    chosen.value.set_files(EXAMPLES / "flower.jpg")
    expect(page.locator(".class-label").first).to_have_text("daisy")


def test_the_browser_is_told_to_come_by_https_only(
    open_page: OpenPage, page_site: Site, front: Front
) -> None:
    page = open_page(page_site)
    answer = page.goto(front.url + "/")
    assert answer is not None
    assert "max-age=" in answer.headers["strict-transport-security"]


def test_both_services_saw_the_pages_own_key(
    open_page: OpenPage, page_site: Site, front: Front
) -> None:
    page = open_page(page_site)
    page.get_by_label("What do you want to know?").fill("Which key is used?")
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".match-title").first).to_be_visible()
    assert '"key": "web"' in front.containers["faq"].log()
