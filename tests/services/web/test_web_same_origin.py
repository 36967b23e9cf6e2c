"""No other site's page can use the client application through its visitors' browsers."""

from __future__ import annotations

import pytest

from tests.services.web.conftest import Web


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_post_from_elsewhere_is_refused(web: Web, headers: dict[str, str]) -> None:
    for response in (web.ask(**headers), web.classify(**headers)):
        assert response.status_code == 403
        assert response.headers["Content-Type"] == "application/problem+json"
    assert web.faq.received == web.resnet.received == []


def test_a_post_from_the_page_itself_is_taken(web: Web) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": web.url}
    assert web.ask(**headers).status_code == 200


def test_a_program_that_is_no_browser_is_taken(web: Web) -> None:
    assert web.ask().status_code == 200


def test_following_a_link_to_the_page_is_allowed(web: Web) -> None:
    assert web.http.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
