"""A load test that measures a service as an open system, usable as a library.

from client.load import LoadPlan, faq_workload, run_load_test

report = run_load_test(LoadPlan(read_address("http://127.0.0.1:8081"), faq_workload()))
print(report.saturation.throughput, report.steps[0].latency.p99_ms)
"""

from __future__ import annotations

from client.load.arrivals import Arrivals
from client.load.load_test import LoadPlan, LoadReport, run_load_test
from client.load.saturation import Level, Saturation
from client.load.statistics import Latency, Step
from client.load.target import LoadRefused
from client.load.workload import Workload, faq_workload, resnet_workload

__all__ = [
    "Arrivals",
    "Latency",
    "Level",
    "LoadPlan",
    "LoadRefused",
    "LoadReport",
    "Saturation",
    "Step",
    "Workload",
    "faq_workload",
    "resnet_workload",
    "run_load_test",
]
