"""The page in a browser, through TLS and the gateway, from image to image."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from infra.workload import WorkloadName
from tests.browser.conftest import OpenPage, Site
from tests.e2e.conftest import Front
from tests.images.asking import EXAMPLES, KNOWN, QUESTION

SERVICES: tuple[WorkloadName, ...] = ("faq", "resnet")


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
    before = {service: keys_seen(front, service) for service in SERVICES}
    page = open_page(page_site)
    page.get_by_label("What do you want to know?").fill("Which key is used?")
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".match-title").first).to_be_visible()
    page = open_page(page_site, "/#classify")
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose a picture").click()
    chosen.value.set_files(EXAMPLES / "china.jpg")
    expect(page.locator(".class-label").first).to_have_text("palace")
    for service, seen in before.items():
        assert set(keys_seen(front, service)[len(seen) :]) == {"web"}


def keys_seen(front: Front, service: WorkloadName) -> list[str]:
    """By a service's log, the names of the keys of the requests that it scored."""
    lines = (json.loads(line) for line in front.containers[service].log().splitlines())
    return [line["key"] for line in lines if line.get("key")]
