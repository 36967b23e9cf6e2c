"""The limits of the gateway follow from the settings."""

from __future__ import annotations

import json
import re
from typing import Any

from services.serving.problem import PROBLEM_TYPE, Problem
from tests.infra.kubernetes.platform_objects import (
    BEHIND_FIREWALL,
    FULL,
    declared,
    objects,
    spec_of,
)


def _clients(gateway: dict[str, Any] | None = None) -> dict[str, Any]:
    return spec_of(declared({"gateway": gateway or {}}), "ClientTrafficPolicy", "clients")


def _backends(gateway: dict[str, Any] | None = None) -> dict[str, Any]:
    return spec_of(declared({"gateway": gateway or {}}), "BackendTrafficPolicy", "backends")


def test_tls_1_2_has_forward_secrecy_and_authenticated_encryption_only() -> None:
    tls = _clients()["tls"]
    assert tls["minVersion"] == "1.2"
    for cipher in tls["ciphers"]:
        assert cipher.startswith("ECDHE-")
        assert "GCM" in cipher or "POLY1305" in cipher


def test_tls_1_3_names_no_ciphers_which_the_gateway_would_refuse() -> None:
    tls = _clients({"tls": {"minimum_version": "1.3"}})["tls"]
    assert tls["minVersion"] == "1.3"
    assert "ciphers" not in tls


def test_the_firewall_is_let_in_by_tls_1_2_whatever_it_demands_of_its_own_clients() -> None:
    """Application Gateway speaks nothing later to what is behind it."""
    tls = {"issuer": "existing-secret", "existing_secret": "site", "minimum_version": "1.3"}
    found = _clients({**BEHIND_FIREWALL, "tls": tls})["tls"]
    assert (found["minVersion"], found["ciphers"]) == ("1.2", _clients()["tls"]["ciphers"])


def test_clients_may_speak_http_2() -> None:
    assert _clients()["tls"]["alpnProtocols"] == ["h2", "http/1.1"]
    assert _clients()["http2"]["maxConcurrentStreams"] == 100


def test_connections_are_counted_and_end_before_azure_forgets_them() -> None:
    spec = _clients()
    assert spec["connection"]["connectionLimit"]["value"] == 4000
    assert int(spec["timeout"]["http"]["idleTimeout"].removesuffix("s")) < 240


def test_a_slow_body_or_header_ends_with_the_longest_request() -> None:
    times = _clients({"request_timeout_seconds": 45})["timeout"]["http"]
    assert times["requestReceivedTimeout"] == "45s"
    assert times["requestHeadersReceivedTimeout"] == "10s"


def test_paths_and_headers_of_two_meanings_do_not_pass() -> None:
    spec = _clients()
    assert spec["path"]["escapedSlashesAction"] == "RejectRequest"
    assert spec["headers"]["withUnderscoresAction"] == "DropHeader"


def test_browsers_are_told_to_stay_with_https() -> None:
    (header,) = _clients()["headers"]["lateResponseHeaders"]["set"]
    assert header == {"name": "Strict-Transport-Security", "value": "max-age=31536000"}


def test_without_a_firewall_nobody_says_which_address_they_have() -> None:
    assert "clientIPDetection" not in _clients()


def test_the_firewall_alone_is_believed_about_addresses() -> None:
    values = {
        "network": {"gateway_subnet": "10.40.7.0/24"},
        "gateway": {
            **BEHIND_FIREWALL,
            "tls": {"issuer": "existing-secret", "existing_secret": "site"},
        },
    }
    spec = spec_of(declared(values), "ClientTrafficPolicy", "clients")
    assert spec["clientIPDetection"] == {"xForwardedFor": {"trustedCIDRs": ["10.40.7.0/24"]}}


def test_each_client_has_a_rate_of_its_own() -> None:
    limit = _backends({"requests_per_minute": 77})["rateLimit"]
    assert limit["type"] == "Local"
    (rule,) = limit["local"]["rules"]
    assert rule["limit"] == {"requests": 77, "unit": "Minute"}
    assert rule["clientSelectors"] == [{"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}]


def test_times_and_sizes_follow_the_settings() -> None:
    spec = _backends({"request_timeout_seconds": 45, "max_body_mib": 12})
    assert spec["timeout"]["http"]["requestTimeout"] == "45s"
    assert spec["requestBuffer"] == {"limit": "12Mi"}


def test_the_gateways_own_refusals_are_problems_like_the_services() -> None:
    found: dict[int, dict[str, Any]] = {}
    for override in _backends()["responseOverride"]:
        assert override["source"] == "Local", "the services' own answers must pass unchanged"
        (status,) = override["match"]["statusCodes"]
        found[status["value"]] = override["response"]
    assert set(found) == {403, 413, 429, 503, 504}
    for status, response in found.items():
        assert response["contentType"] == PROBLEM_TYPE
        body = json.loads(response["body"]["inline"])
        detail = body["detail"]
        assert set(body) == set(json.loads(Problem(status, detail).body()))
        assert body["status"] == status
        assert body["error"] == detail
        assert re.fullmatch(r"[A-Z].*\.", detail), "a sentence, which others may follow"


def test_clients_are_told_when_to_try_again() -> None:
    waits = {
        override["match"]["statusCodes"][0]["value"]: override["response"].get("header")
        for override in _backends()["responseOverride"]
    }
    assert waits[429] == {"set": [{"name": "Retry-After", "value": "60"}]}
    assert waits[503] == {"set": [{"name": "Retry-After", "value": "5"}]}
    assert [status for status, header in waits.items() if header is None] == [403, 413, 504]


def test_what_no_pod_has_begun_is_tried_again_and_no_answer_is() -> None:
    never_begun = ["connect-failure", "refused-stream", "reset-before-request"]
    assert _backends()["retry"]["retryOn"] == {"triggers": never_begun}
    reads = spec_of(declared(), "BackendTrafficPolicy", "reads")
    assert reads["retry"]["retryOn"] == {"triggers": [*never_begun, "reset"]}


def test_what_reads_keeps_the_limits_of_the_gateway() -> None:
    """A policy of a route takes the place of the Gateway's, unless it says that it adds to it."""
    assert spec_of(declared(), "BackendTrafficPolicy", "reads")["mergeType"] == "StrategicMerge"


def test_no_pod_is_cast_out() -> None:
    assert "healthCheck" not in _backends()


def test_networks_that_are_not_named_are_refused_on_https_alone() -> None:
    spec = spec_of(declared(FULL), "SecurityPolicy", "allowed-networks")
    assert [target["sectionName"] for target in spec["targetRefs"]] == ["https"]
    assert spec["authorization"]["defaultAction"] == "Deny"
    (rule,) = spec["authorization"]["rules"]
    assert rule["action"] == "Allow"
    assert rule["principal"] == {"clientCIDRs": ["203.0.113.0/24"]}


def test_without_named_networks_everybody_may_call() -> None:
    assert "SecurityPolicy" not in {found["kind"] for found in objects(declared())}
