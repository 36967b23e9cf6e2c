"""Keyboard, labels, contrast, narrow screens, light and dark."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AUDIT, OpenPage, StubbedSite
from tests.services.web.upstream_stub import MATCHES, Answer, problem

LONG_WORDS = "TypeError: getElementsByClassNameOrQuerySelectorAllOrAnythingElse is not a function"
LONG_MATCHES = {
    **MATCHES,
    "matches": [
        {
            "question_id": number,
            "title": LONG_WORDS,
            "url": "https://example.org/" + "x" * 200,
            "score": score,
            "answer": f"<p>{'y' * 300}</p><pre><code>{'z = 1; ' * 60}</code></pre>",
        }
        for number, score in enumerate((1.0, 0.5, 0.004))
    ],
}
STATES = ("empty", "matches", "no match", "error", "picture tab", "classes")
Scheme = Literal["light", "dark"]


def reach(page: Page, site: StubbedSite, state: str) -> None:
    """Bring the page into one of its states."""
    if state in ("matches", "no match", "error"):
        site.faq.always(
            {
                "matches": Answer(content=LONG_MATCHES),
                "no match": Answer(content={**LONG_MATCHES, "low_signal": True}),
                "error": problem(422, "x" * 250),
            }[state]
        )
        page.get_by_label("What do you want to know?").fill("why? " + "w" * 400)
        page.get_by_role("button", name="Find answers").click()
        expect(page.locator("#ask-outcome .match, #ask-outcome .error").first).to_be_attached()
    if state == "no match":
        page.get_by_text("closest anyway").click()
    if state in ("picture tab", "classes"):
        page.get_by_role("tab", name="Classify").click()
    if state == "classes":
        page.get_by_role("button", name="Flower").click()
        expect(page.locator(".class")).to_have_count(2)
    expect(page.locator(".examples:visible")).to_have_count(1)
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
def test_nothing_is_nameless_faint_or_too_wide(
    open_page: OpenPage, stubbed_site: StubbedSite, state: str, scheme: Scheme, width: int
) -> None:
    page = open_page(stubbed_site, width=width, scheme=scheme)
    reach(page, stubbed_site, state)
    assert page.evaluate(AUDIT) == []
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= page.evaluate("document.documentElement.clientWidth")


def test_the_page_follows_the_systems_colour_scheme(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    grounds: dict[str, int] = {}
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        page = open_page(stubbed_site, scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[scheme] = sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(",")))
    assert grounds["light"] > 600
    assert grounds["dark"] < 150


def test_arrow_keys_move_between_the_tabs(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    ask, classify = page.get_by_role("tab", name="Ask"), page.get_by_role("tab", name="Classify")
    ask.focus()
    for key, chosen, other in (
        ("ArrowRight", classify, ask),
        ("ArrowRight", ask, classify),
        ("ArrowLeft", classify, ask),
        ("Home", ask, classify),
        ("End", classify, ask),
    ):
        page.keyboard.press(key)
        expect(chosen).to_be_focused()
        expect(chosen).to_have_attribute("aria-selected", "true")
        expect(other).to_have_attribute("aria-selected", "false")
        expect(other).to_have_attribute("tabindex", "-1")
    expect(page.get_by_role("tabpanel", name="Classify")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Ask")).to_be_hidden()


def test_a_reload_stays_on_the_tab(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    page.get_by_role("tab", name="Classify").click()
    page.reload()
    expect(page.get_by_role("tabpanel", name="Classify")).to_be_visible()


@pytest.mark.parametrize("state", ["matches", "no match", "classes"])
def test_all_that_can_be_pressed_is_reached_by_tab_and_shows_it(
    open_page: OpenPage, stubbed_site: StubbedSite, state: str
) -> None:
    page = open_page(stubbed_site)
    reach(page, stubbed_site, state)
    expected = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, summary")].filter(
            (node) => node.checkVisibility() && node.tabIndex >= 0).length"""
    )
    page.evaluate("document.activeElement.blur()")
    page.mouse.click(2, 2)
    reached: set[str] = set()
    for _ in range(expected + 5):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const node = document.activeElement;
                if (node === document.body || node.matches("pre")) return null;
                window.seen ??= [];
                if (!window.seen.includes(node)) window.seen.push(node);
                // The question's ring is drawn around its frame, a file's on its label.
                const shows = [node, node.closest(".field"), node.nextElementSibling];
                const hasRing = (each) => each && getComputedStyle(each).outlineStyle !== "none";
                const fault = shows.some(hasRing) ? "" : `without a ring: ${node.outerHTML}`;
                return `${window.seen.indexOf(node)} ${fault}`;
            }"""
        )
        if found is not None:
            assert "without a ring" not in found
            reached.add(found)
    assert len(reached) == expected


def test_results_are_announced(open_page: OpenPage, stubbed_site: StubbedSite) -> None:
    page = open_page(stubbed_site)
    reach(page, stubbed_site, "matches")
    expect(page.get_by_role("status")).to_have_text("3 matches, the likeliest first")
    reach(page, stubbed_site, "no match")
    expect(page.get_by_role("status")).to_have_text("No match")
    reach(page, stubbed_site, "classes")
    expect(page.get_by_role("status")).to_have_text("Most likely: daisy")


def test_on_a_phone_the_results_are_brought_into_view(
    open_page: OpenPage, stubbed_site: StubbedSite
) -> None:
    page = open_page(stubbed_site, width=320, height=560)
    page.get_by_role("tab", name="Classify").click()
    page.get_by_role("button", name="Flower").click()
    expect(page.locator(".preview")).to_be_in_viewport()


def test_inline_script_is_not_run(browser: Browser, stubbed_site: StubbedSite) -> None:
    page = browser.new_context().new_page()
    page.goto(stubbed_site.url)
    blocked = page.evaluate(
        """() => new Promise((resolve) => {
            const report = (event) => resolve(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", report);
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            setTimeout(() => resolve("nothing"), 2000);
        })"""
    )
    assert blocked.startswith("script-src")
    assert page.evaluate("window.ran") is None
    page.context.close()
