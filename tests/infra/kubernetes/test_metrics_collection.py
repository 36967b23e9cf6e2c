"""Managed Prometheus scrapes what the stack runs, and nothing that it does not."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.infra.kubernetes.platform_objects import FULL, declared, manifest, objects

NAME = "ama-metrics-settings-configmap"


def _settings(section: str) -> dict[str, str]:
    return tomllib.loads(manifest(declared(FULL), "ConfigMap", NAME)["data"][section])


def test_the_add_on_reads_it_from_its_own_namespace() -> None:
    found = manifest(declared(FULL), "ConfigMap", NAME)
    assert found["metadata"]["namespace"] == "kube-system"
    assert found["data"]["schema-version"] == "v1"


@pytest.mark.parametrize(
    ("namespace", "scraped"),
    [
        ("scoring", True),
        ("envoy-gateway-system", True),
        ("cert-manager", True),
        ("default", False),
        ("kube-system", False),
    ],
)
def test_namespaces_whose_pods_are_scraped(namespace: str, scraped: bool) -> None:
    pattern = _settings("pod-annotation-based-scraping")["podannotationnamespaceregex"]
    assert bool(re.fullmatch(pattern, namespace)) == scraped


def test_queues_are_read_often_enough_to_scale_on() -> None:
    assert _settings("default-targets-scrape-interval-settings") == {"podannotations": "15s"}


def test_without_prometheus_there_is_nothing_to_set() -> None:
    assert NAME not in {found["metadata"]["name"] for found in objects(declared())}
