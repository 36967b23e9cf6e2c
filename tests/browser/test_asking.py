"""Asking a question, against the model that is trained on the repository's corpus."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Site, StubbedSite
from tests.services.web.upstream_stub import MATCHES, Answer

EXAMPLES = {
    "Ten comes before nine": "Why does sort() put 10 before 2, and how do I sort numbers "
    "correctly?",
    "My total is 0.30000000000000004": "Why is 0.1 + 0.2 not equal to 0.3?",
    "Both copies change": "How do I make a deep copy of a nested object?",
    "Port 3000 is taken": "Error: listen EADDRINUSE: address already in use :::3000",
    "await in forEach is ignored": "Why does await inside forEach not wait?",
    "Only the first comma goes": "How can I replace every occurrence of a string, not only the "
    "first one?",
}


def ask(page: Page, question: str) -> None:
    page.get_by_label("What do you want to know?").fill(question)
    page.get_by_role("button", name="Find answers").click()


def test_a_typed_question_finds_the_known_one(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    ask(page, "I want my program to pause for two seconds, is there a sleep function?")
    first = page.locator(".match").first
    expect(first.locator(".match-title")).to_have_text("What is the JavaScript version of sleep()?")
    expect(page.get_by_role("status").first).to_have_text("5 matches, the likeliest first")
    expect(first.locator(".answer")).to_contain_text("setTimeout")


def test_ctrl_and_enter_asks(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    field = page.get_by_label("What do you want to know?")
    field.fill("How can I shuffle a deck of cards?")
    field.press("Control+Enter")
    expect(page.locator(".match-title").first).to_have_text("How can I shuffle an array randomly?")


@pytest.mark.parametrize("label", EXAMPLES)
def test_an_example_finds_the_question_it_is_about(
    open_page: OpenPage, site: Site, label: str
) -> None:
    page = open_page(site)
    page.get_by_role("button", name=label).click()
    expect(page.locator(".match-title").first).to_have_text(EXAMPLES[label])


def test_a_question_about_something_else_has_no_match(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    page.get_by_role("button", name="Something else").click()
    expect(page.get_by_role("heading", name="No match")).to_be_visible()
    weak = page.locator(".match-title").first
    expect(weak).to_be_hidden()
    page.get_by_text("closest anyway").click()
    expect(weak).to_be_visible()


def test_matches_are_ranked_and_only_the_first_is_open(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    ask(page, "scores.sort() puts 10 before 2")
    expect(page.locator(".match")).to_have_count(5)
    assert page.locator(".match").evaluate_all("each => each.map(m => m.open)") == [
        True, False, False, False, False,
    ]  # fmt: skip
    widths = page.locator(".score-bar").evaluate_all(
        "each => each.map(bar => parseFloat(bar.style.getPropertyValue('--score')))"
    )
    assert widths == sorted(widths, reverse=True)
    assert 0 <= widths[-1] <= widths[0] <= 1
    assert page.locator(".score").first.inner_text().endswith("%")


def test_an_answer_opens_and_closes_by_keyboard(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    ask(page, "scores.sort() puts 10 before 2")
    second = page.locator(".match").nth(1)
    expect(second.locator(".answer")).to_be_hidden()
    second.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(second.locator(".answer")).to_be_visible()
    page.keyboard.press("Space")
    expect(second.locator(".answer")).to_be_hidden()


def test_what_a_person_types_is_never_taken_for_markup(open_page: OpenPage, site: Site) -> None:
    page = open_page(site)
    ask(page, "<img src=x onerror=alert(1)> why does [] === [] give false?")
    expect(page.locator(".outcome h2, .match").first).to_be_attached()
    assert page.locator("img[src='x']").count() == 0


def test_an_answer_says_whose_it_is_and_links_there(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    """CC BY-SA wants the author, the source and the licence named wherever the text is shown."""
    answer = {
        "author": "<img src=x onerror=alert(1)>", "author_url": "https://a.example/users/7",
        "url": "https://a.example/a/2", "licence": "CC BY-SA 4.0",
        "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/",
    }  # fmt: skip
    question = {"author": "Ann O'Nym", "licence": "CC BY-SA 3.0", "author_url": "javascript:x()"}
    first, second = MATCHES["matches"]  # type: ignore[misc]
    matches = [
        {**first, "source_id": "KB-0042", "attribution": question, "answer_attribution": answer},
        second,
    ]
    stubbed_site.faq.always(Answer(content={**MATCHES, "matches": matches}))
    page = open_page(stubbed_site)
    ask(page, "whose is it?")
    lines = page.locator(".match").first.locator(".source")
    expect(lines).to_have_text([
        "Question KB-0042, by Ann O'Nym, CC BY-SA 3.0",
        "Answer by <img src=x onerror=alert(1)>, CC BY-SA 4.0",
    ])  # fmt: skip
    links = lines.locator("a").evaluate_all("each => each.map(a => [a.href, a.rel, a.target])")
    assert links == [
        [answer[name], "noopener nofollow", "_blank"]
        for name in ("url", "author_url", "licence_url")
    ]
    assert page.locator("img[src='x']").count() == 0
    assert page.locator(".match").nth(1).locator(".source").count() == 0
