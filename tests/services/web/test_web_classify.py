"""POST /api/classify: from the browser's picture to its classes."""

from __future__ import annotations

import httpx
import pytest

from tests.services.web.conftest import MOST_PICTURE_BYTES, RESNET_KEY, Web
from tests.services.web.upstream_stub import PREDICTIONS, problem


def test_the_picture_goes_to_the_service_as_it_came(web: Web) -> None:
    picture = b"\xff\xd8\xff" + bytes(range(256)) * 100
    response = web.classify(picture)
    assert response.status_code == 200
    assert response.json() == PREDICTIONS
    (received,) = web.resnet.received
    assert received.path == "/v1/classify?top_k=5"
    assert received.body == picture
    assert received.headers["Content-Type"] == "image/jpeg"
    assert received.headers["X-API-Key"] == RESNET_KEY
    assert web.faq.received == []


@pytest.mark.parametrize("kind", ["text/html", "application/json", "", "image/", "imagex/png"])
def test_what_does_not_call_itself_a_picture_is_refused(web: Web, kind: str) -> None:
    response = web.classify(**{"Content-Type": kind})
    assert response.status_code == 415
    assert web.resnet.received == []


def test_a_picture_over_the_limit_is_refused_and_one_at_the_limit_is_not(web: Web) -> None:
    assert web.classify(b"x" * MOST_PICTURE_BYTES).status_code == 200
    headers = {"Content-Type": "image/png"}
    too_large = b"x" * (MOST_PICTURE_BYTES + 1)
    response = httpx.post(f"{web.url}/api/classify", content=too_large, headers=headers)
    assert response.status_code == 413
    assert len(web.resnet.received) == 1


@pytest.mark.parametrize("status", [413, 415, 422])
def test_what_the_service_says_of_a_picture_is_passed_on(web: Web, status: int) -> None:
    web.resnet.always(problem(status, "The picture is cut short."))
    response = web.classify()
    assert response.status_code == status
    assert response.json()["detail"] == "The picture is cut short."


def test_after_a_refusal_the_next_request_of_the_same_client_is_answered(web: Web) -> None:
    for _ in range(20):
        refused = web.classify(b"x" * 10, **{"Content-Type": "text/plain"})
        assert refused.status_code == 415
        assert "Connection" not in refused.headers
