"""A provider that hangs holds a few threads; the others serve the page."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

import httpx
import pytest

from services.web.sign_in.provider import Provider
from services.web.sign_in.provider_http import (
    REQUESTS_AT_ONCE,
    ProviderBusy,
    ProviderFailed,
    ProviderHttp,
)
from tests.services.web.sign_in.hostile_provider import Reply, running_provider
from tests.services.web.sign_in.visitor import running_page

PEOPLE = 40
TOO_MANY = PEOPLE - REQUESTS_AT_ONCE


class HangingHttp(ProviderHttp):
    """The connection to a provider that says nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def get(self, url: str) -> Mapping[str, object]:
        self.let_go.wait(30)
        raise ProviderFailed("timeout")


def test_only_a_few_wait_for_what_a_provider_says_of_itself() -> None:
    http = HangingHttp()
    provider = Provider("https://provider.example", http, key_refresh_seconds=1)
    with ThreadPoolExecutor(PEOPLE) as threads:
        asked = [threads.submit(provider.metadata) for _ in range(PEOPLE)]
        try:
            refused = list(islice(as_completed(asked, timeout=20), TOO_MANY))
            assert {str(each.exception()) for each in refused} == {"too many requests at once"}
        finally:
            http.let_go.set()
    reasons = Counter(str(each.exception()) for each in asked)
    assert reasons == {"too many requests at once": TOO_MANY, "timeout": REQUESTS_AT_ONCE}


class BusyHttp(ProviderHttp):
    """One that has no place for the first request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def get(self, url: str) -> Mapping[str, object]:
        self.asked += 1
        if self.asked == 1:
            raise ProviderBusy
        raise ProviderFailed("unreachable")


def test_that_others_are_asking_is_not_kept_as_a_fault_of_the_provider() -> None:
    http = BusyHttp()
    provider = Provider("https://provider.example", http, key_refresh_seconds=1)
    reasons: list[str] = []
    for _ in range(3):
        with pytest.raises(ProviderFailed) as raised:
            provider.metadata()
        reasons.append(str(raised.value))
    assert reasons == ["too many requests at once", "unreachable", "unreachable"]
    assert http.asked == 2, "what the provider failed with is kept for a moment"


def test_a_probe_is_answered_while_many_people_sign_in_at_a_provider_that_hangs(
    tmp_path: Path,
) -> None:
    with (
        running_provider() as provider,
        running_page(provider.url, "--sign-in-everyone", log_folder=tmp_path) as page,
        httpx.Client(base_url=page.url, timeout=20) as http,
        ThreadPoolExecutor(PEOPLE) as threads,
    ):
        provider.instead["/.well-known/openid-configuration"] = Reply(delay_seconds=5.0)
        people = [threads.submit(http.get, "/auth/sign-in") for _ in range(PEOPLE)]
        told = islice(as_completed(people, timeout=4), TOO_MANY)
        assert {each.result().status_code for each in told} == {503}
        assert http.get("/readyz", timeout=2).status_code == 200
        assert sum(not each.done() for each in people) == REQUESTS_AT_ONCE
