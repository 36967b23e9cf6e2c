"""Signing in and out in a browser, at a real provider."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from services.launch import free_ports
from tests.browser.conftest import AUDIT, PHOTOGRAPHS, STUB_KEYS, Witness
from tests.browser.test_failures import OUT_OF_MEMORY
from tests.services.web.sign_in.real_provider.running import CLIENT_SECRET, running_real_provider
from tests.services.web.sign_in.visitor import running_page
from tests.services.web.upstream_stub import running_stub

IDLE_SECONDS = 4.0
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class SignInSite:
    """The client application and the provider at which its people sign in."""

    url: str
    provider_url: str
    log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInSite]:
    folder = tmp_path_factory.mktemp("sign-in-site")
    secret, key = folder / "client-secret", folder / "faq.key"
    secret.write_text(CLIENT_SECRET)
    key.write_text(STUB_KEYS[0])
    page_port, provider_port = free_ports(2)
    with (
        running_stub() as faq,
        running_stub() as resnet,
        running_real_provider(provider_port, f"http://127.0.0.1:{page_port}") as issuer,
        running_page(
            issuer, "--faq-url", faq.url, "--faq-key-file", key, "--resnet-url", resnet.url,
            "--sign-in-client-secret-file", secret, "--sign-in-groups", "scorers",
            "--session-idle-minutes", str(IDLE_SECONDS / 60),
            log_folder=folder, port=page_port,
        ) as page,
    ):  # fmt: skip
        yield SignInSite(page.url, issuer, page.log)


@dataclass
class Profile:
    """A fresh browser profile, of which every page is watched."""

    context: BrowserContext
    site: SignInSite
    witness: Witness

    def open(self, path: str = "/") -> Page:
        page = self.context.new_page()
        self.witness.follow(page)
        page.goto(self.site.url + path)
        return page

    def sign_in(self, name: str = "ada", *, page: Page | None = None) -> Page:
        page = page or self.open()
        page.get_by_placeholder("Enter any login").fill(name)
        page.get_by_placeholder("and password").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        return page

    def session_cookie(self) -> str:
        cookies = self.context.cookies(self.site.url)
        return next((c["value"] for c in cookies if c["name"] == "__Host-session"), "")


@pytest.fixture
def profile(browser: Browser, site: SignInSite) -> Generator[Profile]:
    """At the end no page may have complained, or shown more than one site and its provider."""
    # The provider's own pages ask for fonts from elsewhere. A route would have no page cached.
    context = browser.new_context(proxy={"server": NOWHERE, "bypass": "127.0.0.1"})
    context.set_default_timeout(15_000)
    profile = Profile(context, site, Witness())
    yield profile
    context.close()
    assert profile.witness.messages == []
    assert "Traceback" not in site.log.read_text()


def ask(page: Page) -> None:
    page.get_by_label("What do you want to know?").fill("why?")
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".match")).to_have_count(2)


def test_signing_in_asking_and_signing_out(profile: Profile, site: SignInSite) -> None:
    page = profile.sign_in()
    expect(page).to_have_url(f"{site.url}/")
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    assert page.evaluate("document.cookie") == ""
    (cookie,) = [c for c in profile.context.cookies() if c["name"] == "__Host-session"]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    ask(page)

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name=re.compile("Yes, sign me out")).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert profile.session_cookie() == ""
    page.goto(site.url)
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()


def test_back_after_signing_out_does_not_bring_the_page_back(profile: Profile) -> None:
    page = profile.sign_in()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name=re.compile("Yes, sign me out")).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    for _ in range(2):
        page.go_back()
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()


def test_a_page_out_of_the_browsers_memory_is_loaded_again(profile: Profile) -> None:
    """Its name and its button would be those of whoever was signed in when it was left."""
    page = profile.sign_in()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    with page.expect_navigation():
        page.evaluate(OUT_OF_MEMORY)


def test_the_corner_says_who_is_signed_in_now(profile: Profile) -> None:
    """Somebody else may have signed in, in another tab, and a first answer may not have come."""
    page = profile.sign_in()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    page.route("**/api/session", lambda route: route.abort())
    page.reload()
    expect(page.locator(".examples:visible")).to_have_count(1)
    expect(page.locator(".account-name")).to_have_count(0)
    page.unroute("**/api/session")
    ask(page)
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    other = profile.sign_in("grace", page=profile.open("/auth/sign-in?account=another"))
    expect(other.locator(".account-name")).to_have_text("Grace Hopper")
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".account-name")).to_have_text("Grace Hopper")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(1)


def test_a_refused_consent_is_a_page_with_a_way_back(profile: Profile, site: SignInSite) -> None:
    page = profile.open()
    page.get_by_role("link", name=re.compile("Cancel", re.IGNORECASE)).click()
    expect(page.get_by_role("heading", name="You did not sign in")).to_be_visible()
    assert profile.session_cookie() == ""
    page.get_by_role("link", name="Try again").click()
    profile.sign_in(page=page)
    expect(page).to_have_url(f"{site.url}/")


def test_an_account_outside_the_group_is_told_so_and_can_be_changed(
    profile: Profile, site: SignInSite
) -> None:
    page = profile.sign_in("mallory")
    expect(page.get_by_role("heading", name="This page is not for this account")).to_be_visible()
    expect(page.get_by_text("Mallory <script>alert(1)</script>, who is in none")).to_be_visible()
    assert profile.session_cookie() == ""
    page.get_by_role("link", name="Use another account").click()
    profile.sign_in("ada", page=page)
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")


def test_a_session_that_ends_keeps_what_was_typed_and_goes_on_after_a_new_sign_in(
    profile: Profile,
) -> None:
    page = profile.sign_in()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    question = page.get_by_label("What do you want to know?")
    question.fill("a long question")
    page.wait_for_timeout(IDLE_SECONDS * 1000 + 500)
    page.get_by_role("button", name="Find answers").click()
    expect(page.get_by_role("heading", name="You are not signed in any more")).to_be_visible()
    expect(page.locator(".account-name")).to_have_count(0)
    with profile.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    # The provider still knows who it is.
    expect(opened.value.locator(".account-name")).to_have_text("Ada Lovelace")
    page.get_by_role("button", name="Find answers").click()
    expect(page.locator(".match")).to_have_count(2)
    expect(question).to_have_value("a long question")
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")


def test_a_picture_that_was_chosen_can_be_sent_after_a_new_sign_in(profile: Profile) -> None:
    page = profile.sign_in()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    page.get_by_role("tab", name="Classify").click()
    page.wait_for_timeout(IDLE_SECONDS * 1000 + 500)
    page.locator("#picture").set_input_files(PHOTOGRAPHS / "flower.jpg")
    expect(page.get_by_role("heading", name="You are not signed in any more")).to_be_visible()
    with profile.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    expect(opened.value.locator(".account-name")).to_have_text("Ada Lovelace")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".class")).to_have_count(2)


def test_an_answer_of_the_provider_cannot_be_used_twice(
    profile: Profile, browser: Browser, site: SignInSite
) -> None:
    page = profile.sign_in()
    expect(page).to_have_url(f"{site.url}/")
    answers = [r.url for r in profile.witness.responses if "/auth/callback?" in r.url]
    page.goto(answers[0])
    expect(page.get_by_role("heading", name="This sign-in is over")).to_be_visible()


def test_another_sites_page_can_neither_ask_nor_sign_out(
    profile: Profile, site: SignInSite
) -> None:
    page = profile.sign_in()
    expect(page).to_have_url(f"{site.url}/")
    before = profile.session_cookie()
    foreign = f"{site.provider_url}/elsewhere"
    form = f"<form method=post action='{site.url}/auth/sign-out'></form>"
    profile.context.route(foreign, lambda route: route.fulfill(body=form, content_type="text/html"))
    other = profile.context.new_page()
    other.goto(foreign)
    with other.expect_navigation():
        other.evaluate("document.forms[0].submit()")
    assert "only be used from its own page" in other.content()
    other.goto(foreign)
    outcome = other.evaluate(
        """(url) => fetch(url, {method: "POST", credentials: "include", body: "{}",
               headers: {"Content-Type": "application/json"}}).then(() => "sent", () => "blocked")""",
        f"{site.url}/api/ask",
    )
    assert outcome == "blocked"
    assert profile.session_cookie() == before
    page.reload()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")


def test_who_is_signed_in_fits_on_every_screen(profile: Profile) -> None:
    page = profile.sign_in()
    expect(page.locator(".account-name")).to_have_text("Ada Lovelace")
    expect(page.locator(".examples:visible")).to_have_count(1)
    notice = profile.open("/auth/callback")
    for width in (320, 1100):
        for scheme in ("light", "dark"):
            for each in (page, notice):
                each.set_viewport_size({"width": width, "height": 700})
                each.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
                widest = each.evaluate("document.documentElement.scrollWidth")
                assert widest <= each.evaluate("document.documentElement.clientWidth")
            assert page.evaluate(AUDIT) == []
