"""Who may ask, what the log and the metrics say of it, and what is refused at capacity."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient

from services.serving.api_keys import ApiKey, KeyFile, key_hash, new_key, write_key_file
from services.serving.application import Service
from tests.services.serving.http.scripted_site import serving
from tests.services.serving.lever_service import LeverSettings
from tests.services.serving.protocols.conftest import INFER, dumped, tensor_request
from tests.services.serving.protocols.vectors import VectorModel

OPEN = ("/", "/v2/health/live", "/v2/health/ready", "/v2/models/doubling/ready",
        "/v2/models/doubling/versions/7/ready", "/v1/models/doubling")  # fmt: skip
KEYED = ("/v2", "/v2/", "/v2/models/doubling", "/v2/models/doubling/versions/7", "/v1/models",
         "/v2/models/doubling/config", "/v2/models/no-such-model")  # fmt: skip
SCORING = (INFER, "/v2/models/doubling/versions/7/infer", "/v1/models/doubling:predict",
           "/v2/models/no-such-model/infer")  # fmt: skip


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """A key for this service and one for another; they are in ``tmp_path / "keys.json"``."""
    keys = {"vectors": new_key(), "other": new_key()}
    entries = [
        ApiKey(name=scope, sha256=key_hash(key), scopes=frozenset({scope}))
        for scope, key in keys.items()
    ]
    write_key_file(tmp_path / "keys.json", KeyFile(keys=tuple(entries)))
    return keys


@pytest.fixture
def guarded(keys: dict[str, str], tmp_path: Path) -> Iterator[FlaskClient]:
    service = Service(VectorModel(), LeverSettings(keys=tmp_path / "keys.json"))
    service.lifecycle.start()
    yield service.flask.test_client()
    service.batcher.close()


@pytest.mark.parametrize("path", OPEN)
def test_health_needs_no_key(guarded: FlaskClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", [*KEYED, *SCORING])
def test_everything_else_needs_the_service_s_key(
    guarded: FlaskClient, keys: dict[str, str], path: str
) -> None:
    method = "POST" if path in SCORING else "GET"

    def status(**headers: str) -> int:
        return guarded.open(path, method=method, headers=headers).status_code

    assert status() == 401
    assert status(**{"X-API-Key": "wrong"}) == 401
    assert status(**{"X-API-Key": keys["other"]}) == 403
    assert status(Authorization=f"Bearer {keys['vectors']}") in (200, 400, 404)


def test_metrics_know_the_rule_never_the_model_s_name(service: Service) -> None:
    client = service.flask.test_client()
    client.post(INFER, data=dumped(tensor_request()))
    client.post("/v2/models/marker/infer", data=b"{}")
    client.get("/v2/models/marker")
    routes = {
        sample.labels["route"]
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "modelsvc_requests_total"
    }

    assert "/v2/models/<model_name>/infer" in routes
    assert not [route for route in routes if "marker" in route or "doubling" in route]


def test_a_full_house_refuses_inference_before_anything_else(tmp_path: Path) -> None:
    class Holding(VectorModel):
        held = threading.Event()

        def predict(self, items):  # type: ignore[no-untyped-def]
            self.held.wait(10)
            return super().predict(items)

    service = Service(Holding(), LeverSettings(queue_limit=1))
    body = dumped(tensor_request())
    with serving(service.site) as served:
        url = f"http://127.0.0.1:{served.port}"
        asking = threading.Thread(
            target=httpx.post, args=(url + INFER,), kwargs={"content": body, "timeout": 30}
        )
        asking.start()
        until = time.monotonic() + 10
        while not service.batcher.depth and time.monotonic() < until:
            time.sleep(0.01)
        refusals = [httpx.post(url + path, content=b"") for path in SCORING]
        unaffected = httpx.get(f"{url}/v2/models/doubling")
        Holding.held.set()
        asking.join()
    service.batcher.close()

    for refused in refusals:
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/json"
        assert refused.json()["error"] == refused.json()["detail"]
        assert int(refused.headers["Retry-After"]) >= 1
    assert unaffected.status_code == 200
