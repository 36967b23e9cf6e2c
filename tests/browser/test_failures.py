"""What the page says while it waits and when something fails, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AUDIT, OpenPage, Site, StubbedSite
from tests.local_server import served
from tests.services.web.upstream_stub import MATCHES, Answer, Received, contract, problem

OUT_OF_MEMORY = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
"""What a page hears that Back brings out of the browser's memory."""


def ask(page: Page, question: str = "why?") -> None:
    page.get_by_label("What do you want to know?").fill(question)
    page.get_by_role("button", name="Find answers").click()


def matching(title: str, delay_seconds: float = 0.0) -> Answer:
    match = {"question_id": 1, "title": title, "score": 0.9, "answer": "<p>Yes.</p>"}
    return Answer(content={**MATCHES, "matches": [match]}, delay_seconds=delay_seconds)


@pytest.mark.parametrize(
    ("answer", "title", "text", "can_retry"),
    [
        (problem(401, "x"), "The service is not available",
         "The client application's key is not accepted by the question service. "
         "Tell the operator.", True),
        (problem(403, "x"), "The service is not available", "Tell the operator.", True),
        (problem(413, "The body is larger than 65,536 bytes."), "That is too large",
         "The body is larger", False),
        (problem(415, "The body must be JSON."), "That cannot be read", "must be JSON", False),
        (problem(422, "The question is blank."), "That cannot be used", "is blank", False),
        (problem(429, "x", Retry_After="7"), "Too many requests", "Try again in 7 s.", True),
        (problem(503, "x", Retry_After="2"), "The service is busy", "Try again in 2 s.", True),
        (problem(504, "x"), "That took too long", "did not answer in time", True),
        (problem(500, "x"), "The service is not available", "question service failed", True),
        (Answer(raw=b"<html>"), "The service is not available", "cannot be read", True),
    ],
)  # fmt: skip
def test_each_failure_has_its_words(
    open_page: OpenPage, stubbed_site: StubbedSite, answer: Answer, title: str, text: str,
    can_retry: bool,
) -> None:  # fmt: skip
    stubbed_site.faq.always(answer)
    page = open_page(stubbed_site)
    ask(page)
    alert = page.locator("#ask").get_by_role("alert")
    expect(alert.get_by_role("heading", name=title)).to_be_visible()
    expect(alert).to_contain_text(text)
    expect(alert).to_contain_text("Reference ")
    expect(page.get_by_role("button", name="Try again")).to_have_count(1 if can_retry else 0)


def test_services_that_are_down_are_said_to_be_unreachable(
    open_page: OpenPage, deserted_site: Site
) -> None:
    page = open_page(deserted_site)
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("The question service cannot be reached.")
    page.get_by_role("tab", name="Classify").click()
    page.get_by_role("button", name="Flower").click()
    alert = page.locator("#classify").get_by_role("alert")
    expect(alert).to_contain_text("The picture service cannot be reached.")


def test_a_page_without_its_scripts_says_so_and_can_be_loaded_again(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    """As where the network changes while it loads: nothing on it would do anything."""
    page = open_page(stubbed_site, "/#classify")
    expect(page.locator("#unloaded")).to_have_count(0)
    page.route("**/static/latest.js", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("button", name="Find answers")).to_be_disabled()
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")
    expect(page.get_by_role("alert")).to_have_text(re.compile("has not loaded completely"))
    assert page.evaluate(AUDIT) == []
    page.unroute("**/static/latest.js")
    page.get_by_role("link", name="Load it again").click()
    ask(page)
    expect(page.locator(".match")).to_have_count(len(MATCHES["matches"]))


def test_a_page_of_nobody_in_particular_keeps_what_was_typed_when_it_is_come_back_to(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    page = open_page(stubbed_site)
    field = page.get_by_label("What do you want to know?")
    field.fill("a long question")
    page.evaluate(OUT_OF_MEMORY)
    page.wait_for_timeout(500)
    expect(field).to_have_value("a long question")


def test_trying_again_waits_as_long_as_the_service_asks(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    refusals = iter([problem(503, "x", Retry_After="2")])
    stubbed_site.faq.answer = lambda received: next(refusals, contract(received))
    page = open_page(stubbed_site)
    ask(page)
    button = page.get_by_role("button", name="Try again")
    expect(button).to_have_text(re.compile(r"Try again \(\d s\)"))
    expect(button).to_be_disabled()
    expect(button).to_have_text("Try again")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".match")).to_have_count(2)
    expect(page.locator(".error")).to_have_count(0)
    expect(page.locator("#ask [role=status]")).to_be_focused()


def test_a_blank_question_is_not_sent(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    ask(page, "  \n ")
    expect(page.get_by_role("alert")).to_contain_text("There is no question yet")
    field = page.get_by_label("What do you want to know?")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert stubbed_site.faq.received == []
    ask(page, "why?")
    expect(page.locator(".match")).to_have_count(2)
    expect(field).to_have_attribute("aria-invalid", "false")


def test_a_question_that_is_too_long_is_not_sent(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    page = open_page(stubbed_site)
    expect(page.get_by_role("button", name="Port 3000")).to_be_visible()
    ask(page, "x" * 20_001)
    expect(page.get_by_role("alert")).to_contain_text("A question may have 20,000 characters.")
    assert stubbed_site.faq.received == []


def test_being_offline_is_said(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    page.context.set_offline(True)
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".match")).to_have_count(2)


def test_a_server_that_is_gone_is_said(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    page.route("**/api/ask", lambda route: route.abort("connectionrefused"))
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("The page cannot reach its server")


def test_a_fault_of_the_page_itself_has_words_too(
    browser: Browser, stubbed_site: StubbedSite
) -> None:
    page = browser.new_context().new_page()
    page.goto(stubbed_site.url)
    page.route("**/api/ask", lambda route: route.fulfill(body="null"))
    with page.expect_event("pageerror"):
        ask(page)
    expect(page.get_by_role("alert")).to_contain_text("The page itself failed. Load it again.")
    page.context.close()


def test_waiting_is_shown_and_after_three_seconds_called_slow(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    stubbed_site.faq.always(matching("late", delay_seconds=6))
    page = open_page(stubbed_site)
    ask(page)
    status = page.locator("#ask [role=status]")
    expect(status).to_have_text("Looking for questions like yours…")
    expect(page.locator("#ask .results")).to_have_attribute("aria-busy", "true")
    expect(status).to_have_text("Still working. The service is slower than usual.")
    expect(page.locator(".match-title")).to_have_text("late")
    expect(status).to_have_text("1 match, the likeliest first")
    expect(page.locator("#ask .results")).to_have_attribute("aria-busy", "false")


def test_an_older_answer_never_replaces_a_newer_one(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    def answer(received: Received) -> Answer:
        return matching("old", 1.0) if b"first" in received.body else matching("new")

    stubbed_site.faq.answer = answer
    page = open_page(stubbed_site)
    with page.expect_request("**/api/ask"):
        ask(page, "first")
    with page.expect_event("requestfailed") as ended:
        ask(page, "second")
    assert ended.value.url.endswith("/api/ask"), "the older request is ended, not just ignored"
    expect(page.locator(".match-title")).to_have_text("new")
    page.wait_for_timeout(1500)
    expect(page.locator(".match-title")).to_have_text("new")
    assert len(stubbed_site.faq.received) == 2


def test_a_failure_of_an_older_request_is_not_shown(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    page = open_page(stubbed_site)
    stubbed_site.faq.always(Answer(500, content={}, delay_seconds=0.8))
    with page.expect_request("**/api/ask"):
        ask(page, "first")
    ask(page, " ")
    expect(page.get_by_role("alert")).to_contain_text("There is no question yet")
    page.wait_for_timeout(1200)
    expect(page.get_by_role("alert")).to_contain_text("There is no question yet")


def test_no_match_at_all_is_said(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    stubbed_site.faq.always(Answer(content={**MATCHES, "matches": [], "low_signal": True}))
    page = open_page(stubbed_site)
    ask(page)
    expect(page.get_by_role("heading", name="No match")).to_be_visible()
    expect(page.get_by_text("closest anyway")).to_have_count(0)


def test_an_answer_with_active_content_stays_inert(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    evil = '<p>safe<img src=x onerror="window.hit=1"><script>window.hit=1</script></p>'
    match = {"question_id": 1, "title": "<i>t</i>", "url": "javascript:hit=1", "score": 1,
             "answer": evil}  # fmt: skip
    stubbed_site.faq.always(Answer(content={**MATCHES, "matches": [match]}))
    page = open_page(stubbed_site)
    ask(page)
    expect(page.locator(".answer")).to_have_text("safe")
    expect(page.locator(".match-title")).to_have_text("<i>t</i>")
    assert page.locator(".answer a").count() == 0
    assert page.evaluate("window.hit") is None


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[str]:
    """The address of a page on another site, which is not ours to write a policy for."""
    (tmp_path / "index.html").write_text("<title>elsewhere</title>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"http://localhost:{server.server_port}/"


def test_another_sites_page_cannot_make_the_browser_ask(
    browser: Browser, stubbed_site: StubbedSite, other_site: str
) -> None:
    page = browser.new_context().new_page()
    page.goto(other_site)
    outcome = page.evaluate(
        """(address) => fetch(address, {
            method: "POST", mode: "no-cors", body: JSON.stringify({ question: "why?" }),
        }).then(() => "answered", () => "hidden")""",
        f"{stubbed_site.url}/api/ask",
    )
    page.context.close()
    assert outcome == "hidden"
    assert stubbed_site.faq.received == []
    metrics = httpx.get(f"{stubbed_site.metrics_url}/metrics").text
    assert 'web_rejected_total{reason="other origin"} 1.0' in metrics
