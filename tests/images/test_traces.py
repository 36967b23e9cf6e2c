"""A stack with a collector has images that send it traces, within the same sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.image_making.docker_client import DockerClient
from infra.sections.monitoring import MonitoringSettings, TraceSettings
from tests.images.asking import ask, is_right
from tests.images.containers import Containers, Stack, stack
from tests.images.fixtures import SOURCE, Images, built
from tests.images.test_contents import MOST_ADDED
from tests.services.serving.trace_collector import Collector, attributes, collecting

COLLECTOR = TraceSettings(namespace="observability", service="collector", sample_percent=100)
NAME = f"{COLLECTOR.service}.{COLLECTOR.namespace}"


@pytest.fixture(scope="module")
def traced_stack() -> Stack:
    """A stack in containers is local and may have none: the setting is put in behind the rules."""
    found = stack()
    monitoring = MonitoringSettings(traces=COLLECTOR)
    return replace(found, settings=found.settings.model_copy(update={"monitoring": monitoring}))


@pytest.fixture
def collector(docker: DockerClient, container_network: str) -> Iterator[tuple[Collector, str]]:
    """An OTLP receiver on this machine's end of the containers' network, and its address."""
    form = "{{json .IPAM.Config}}"
    (network,) = json.loads(docker.run("network", "inspect", "--format", form, container_network))
    with collecting(network["Gateway"], COLLECTOR.port) as (received, _):
        yield received, network["Gateway"]


def test_a_service_with_a_collector_sends_its_spans(
    images: Images, containers: Containers, traced_stack: Stack, collector: tuple[Collector, str]
) -> None:
    image = built(images.docker, images.base, traced_stack.settings, "faq", "faq-traced")
    received, address = collector
    at_collector = (f"--add-host={NAME}:{address}", "--env=OTEL_BSP_SCHEDULE_DELAY=100")
    with containers.running("faq", traced_stack, image=image, options=at_collector) as faq:
        assert is_right("faq", ask(faq))
        (span,) = received.wait(1)
    assert received.service["service.name"] == "faq"
    assert received.service["service.version"] == SOURCE.version
    assert span.name == "POST /v1/match"
    assert attributes(span)["http.response.status_code"] == 200


def test_what_that_takes_fits_into_the_promised_size(images: Images, traced_stack: Stack) -> None:
    """faq's is the tighter promise."""
    bare = built(
        images.docker, images.base, traced_stack.settings, "faq", "faq-traced-bare", bare=True
    )
    added = images.size(bare) - images.size(images.base)
    assert images.size(images.bare["faq"]) - images.size(images.base) < added <= MOST_ADDED["faq"]
