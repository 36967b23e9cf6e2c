"""The files with API keys are those that the services read."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.kubernetes.key_file import key_file, web_api_key
from services.serving.api_keys import KeyFile, key_hash
from tests.infra.kubernetes.platform_objects import settings_with
from tests.infra.kubernetes.workload_objects import WEB, WEB_KEY

HASH = "ab" * 32
KEY = {
    "name": "shop",
    "sha256": HASH,
    "scopes": ["resnet", "faq"],
    "expires": "2030-01-02T03:04:05Z",
    "requests_per_second": 2.5,
}


def read(values: dict[str, object]) -> KeyFile:
    return KeyFile.model_validate_json(key_file(settings_with(values)))


def test_a_key_arrives_with_everything_that_limits_it() -> None:
    (key,) = read({"api_keys": [KEY]}).keys
    assert (key.name, key.sha256, key.scopes) == ("shop", HASH, {"faq", "resnet"})
    assert key.expires == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert key.requests_per_second == 2.5


def test_a_key_without_limits_has_none() -> None:
    (key,) = read({"api_keys": [{"name": "shop", "sha256": HASH, "scopes": ["faq"]}]}).keys
    assert (key.expires, key.requests_per_second) == (None, None)


def test_without_keys_the_file_is_there_and_refuses_everybody() -> None:
    assert read({}).keys == ()


def test_the_pages_key_joins_by_its_hash() -> None:
    (key,) = read({"web": WEB}).keys
    assert (key.name, key.sha256) == ("web", key_hash(WEB_KEY))
    assert key.scopes == {"faq", "resnet"}


def test_a_lines_end_is_no_part_of_the_pages_key() -> None:
    settings = settings_with({"web": {**WEB, "api_key": WEB_KEY + "\n"}})
    assert web_api_key(settings) == WEB_KEY
    assert key_hash(WEB_KEY) in key_file(settings)


def test_the_file_never_holds_a_key() -> None:
    assert WEB_KEY not in key_file(settings_with({"web": WEB}))


def test_a_page_that_is_not_deployed_has_no_key() -> None:
    settings = settings_with({"web": {**WEB, "enabled": False}})
    assert web_api_key(settings) is None
    assert KeyFile.model_validate_json(key_file(settings)).keys == ()
