"""A stack with a collector has images that send it traces, within the same sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from infra.image_making.docker_client import DockerClient
from infra.sections.monitoring import MonitoringSettings, TraceSettings
from infra.workload import WorkloadName
from tests.images.asking import REQUESTS, is_right
from tests.images.containers import Containers, Stack, stack
from tests.images.fixtures import SOURCE, Images, built
from tests.images.test_contents import MOST_ADDED
from tests.services.serving.trace_collector import Collector, attributes, collecting

COLLECTOR = TraceSettings(namespace="observability", service="collector", sample_percent=100)
SPANS: Mapping[WorkloadName, str] = {"faq": "POST /v1/match", "resnet": "POST /v1/classify"}
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


@pytest.fixture(scope="module")
def traced(images: Images, traced_stack: Stack) -> Mapping[WorkloadName, str]:
    """The services' images of that stack; their models are mounted, or trained in the build."""
    faq = built(images.docker, images.base, traced_stack.settings, "faq", "faq-traced")
    return {"faq": faq, "resnet": bare(images, traced_stack, "resnet")}


def bare(images: Images, traced_stack: Stack, workload: WorkloadName) -> str:
    """The image of one of them without its model."""
    name, settings = f"{workload}-traced-bare", traced_stack.settings
    return built(images.docker, images.base, settings, workload, name, bare=True)


@pytest.mark.parametrize("workload", SPANS)
def test_a_service_with_a_collector_sends_its_spans(
    images: Images,
    containers: Containers,
    traced: Mapping[WorkloadName, str],
    traced_stack: Stack,
    collector: tuple[Collector, str],
    workload: WorkloadName,
) -> None:
    received, address = collector
    at_collector = (f"--add-host={NAME}:{address}", "--env=OTEL_BSP_SCHEDULE_DELAY=100")
    image, model = traced[workload], images.resnet_model if workload == "resnet" else None
    with containers.running(
        workload, traced_stack, image=image, model=model, options=at_collector
    ) as service:
        assert is_right(workload, REQUESTS[workload](service))
        (span,) = received.wait(1)
    assert received.service["service.name"] == workload
    assert received.service["service.version"] == SOURCE.version
    assert span.name == SPANS[workload]
    assert attributes(span)["http.response.status_code"] == 200


@pytest.mark.parametrize("workload", SPANS)
def test_what_that_takes_fits_into_the_promised_size(
    images: Images, traced_stack: Stack, workload: WorkloadName
) -> None:
    added = images.size(bare(images, traced_stack, workload)) - images.size(images.base)
    without = images.size(images.bare[workload]) - images.size(images.base)
    assert without < added <= MOST_ADDED[workload]
