"""Which path leads where."""

from __future__ import annotations

from typing import Any

import pytest

from infra.kubernetes.places import API_PORT, METRICS_PORT
from tests.infra.kubernetes.platform_objects import (
    FULL,
    declared,
    objects,
    resource_of,
    spec_of,
)


def _routes(values: dict[str, Any] | None = None) -> set[str]:
    return {o["metadata"]["name"] for o in objects(declared(values)) if o["kind"] == "HTTPRoute"}


def test_http_is_redirected_for_good_and_nothing_else_is_served_there() -> None:
    recording = declared(FULL)
    redirect = spec_of(recording, "HTTPRoute", "redirect-to-https")
    assert [parent["sectionName"] for parent in redirect["parentRefs"]] == ["http"]
    (rule,) = redirect["rules"]
    assert "backendRefs" not in rule
    assert rule["filters"] == [
        {
            "type": "RequestRedirect",
            "requestRedirect": {"scheme": "https", "statusCode": 301},
        }
    ]
    for name in _routes(FULL) - {"redirect-to-https"}:
        (parent,) = spec_of(recording, "HTTPRoute", name)["parentRefs"]
        assert parent["sectionName"] == "https"


def test_an_exact_challenge_path_wins_over_the_redirect() -> None:
    """The Gateway API prefers exact paths, then longer prefixes: `/` is the weakest of all."""
    (rule,) = spec_of(declared(FULL), "HTTPRoute", "redirect-to-https")["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]


@pytest.mark.parametrize("name", ["faq", "resnet"])
def test_services_see_their_paths_without_the_prefix(name: str) -> None:
    for rule in spec_of(declared(FULL), "HTTPRoute", name)["rules"]:
        paths = [match["path"] for match in rule["matches"]]
        assert set(map(str, paths)) == {str({"type": "PathPrefix", "value": f"/{name}"})}
        assert rule["filters"] == [
            {
                "type": "URLRewrite",
                "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
            }
        ]
        (backend,) = rule["backendRefs"]
        assert (backend["kind"], backend["name"], backend["port"]) == ("Service", name, API_PORT)


def test_the_page_has_the_rest_of_the_paths_as_they_are() -> None:
    for rule in spec_of(declared(FULL), "HTTPRoute", "web")["rules"]:
        assert {match["path"]["value"] for match in rule["matches"]} == {"/"}
        assert "filters" not in rule


@pytest.mark.parametrize("name", ["faq", "resnet", "web"])
def test_what_reads_has_a_rule_of_its_own(name: str) -> None:
    reads, all_else = spec_of(declared(FULL), "HTTPRoute", name)["rules"]
    assert [match["method"] for match in reads["matches"]] == ["GET"]
    assert not any("method" in match for match in all_else["matches"])
    policy = "page-reads" if name == "web" else "reads"
    targets = spec_of(declared(FULL), "BackendTrafficPolicy", policy)["targetRefs"]
    assert (name, reads["name"]) in [(each["name"], each["sectionName"]) for each in targets]


def test_only_what_is_deployed_has_a_route() -> None:
    assert _routes() == {"redirect-to-https", "faq", "resnet"}
    assert _routes({"resnet": {"enabled": False}}) == {"redirect-to-https", "faq"}


def test_no_route_leads_to_metrics() -> None:
    for name in _routes(FULL):
        for rule in spec_of(declared(FULL), "HTTPRoute", name)["rules"]:
            ports = {backend["port"] for backend in rule.get("backendRefs", [])}
            assert METRICS_PORT not in ports


def test_routes_open_after_the_limits_are_there() -> None:
    recording = declared(FULL)
    after = resource_of(recording, "HTTPRoute", "faq").options.depends_on
    for kind, name in (
        ("ClientTrafficPolicy", "clients"),
        ("BackendTrafficPolicy", "backends"),
        ("SecurityPolicy", "allowed-networks"),
        ("Gateway", "scoring"),
    ):
        assert resource_of(recording, kind, name).urn in after
