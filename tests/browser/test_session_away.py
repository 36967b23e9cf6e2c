"""The page's server does not say who uses the page: questions do not wait for it for ever."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, StubbedSite
from tests.browser.test_failures import ask

TEN_TIMES_FASTER = """
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (milliseconds) => timeout(milliseconds / 10);
"""


def hang(route: Route) -> None:
    """Answer never."""


@pytest.fixture
def page(open_page: OpenPage, stubbed_site: StubbedSite) -> Page:
    page = open_page(stubbed_site)
    page.route("**/api/session", hang)
    return page


def test_a_question_is_sent_all_the_same(page: Page) -> None:
    page.add_init_script(TEN_TIMES_FASTER)
    page.reload()
    ask(page)
    expect(page.locator(".match")).to_have_count(2)


def test_a_request_that_was_given_up_is_not_called_slow(page: Page) -> None:
    page.reload()
    ask(page, "first")
    ask(page, " ")
    expect(page.get_by_role("alert")).to_contain_text("There is no question yet")
    page.wait_for_timeout(3500)
    expect(page.locator("#ask [role=status]")).to_have_text("")
