"""A metric's series, each made once."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.serving.labelled import labelled


def test_a_series_is_that_of_its_metric_and_its_labels() -> None:
    registry = CollectorRegistry()
    asked = Counter("asked", "", ("path", "code"), registry=registry)
    other = Counter("other", "", ("path", "code"), registry=registry)
    seconds = Histogram("seconds", "", ("path",), registry=registry)

    for _ in range(3):
        labelled(asked, "/a", "200").inc()
    labelled(asked, "/a", "500").inc()
    labelled(other, "/a", "200").inc()
    labelled(seconds, "/a").observe(0.5)

    assert registry.get_sample_value("asked_total", {"path": "/a", "code": "200"}) == 3
    assert registry.get_sample_value("asked_total", {"path": "/a", "code": "500"}) == 1
    assert registry.get_sample_value("other_total", {"path": "/a", "code": "200"}) == 1
    assert registry.get_sample_value("seconds_count", {"path": "/a"}) == 1
    assert labelled(asked, "/a", "200") is asked.labels("/a", "200")
