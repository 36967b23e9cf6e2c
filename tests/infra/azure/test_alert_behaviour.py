"""Every alert on metrics, evaluated by Prometheus' own engine: when it goes off, and when not."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.azure.cluster_alerts import cluster_alerts
from infra.azure.page_alerts import page_alerts
from infra.azure.recording_rules import (
    KUBERNETES_RECORDINGS,
    NODE_RECORDINGS,
    SERVICE_RECORDINGS,
)
from infra.azure.service_alerts import service_alerts, workload_alerts
from infra.sections.monitoring import AlertSettings
from services.launch import ROOT
from services.serving.metrics import SECONDS
from tests.infra.azure.alert_behaviours import BEHAVIOURS, Behaviour
from tests.infra.azure.monitoring import of_cluster

RECORDINGS = (*SERVICE_RECORDINGS, *NODE_RECORDINGS, *KUBERNETES_RECORDINGS)
ALERTS = (
    *service_alerts(AlertSettings()),
    *page_alerts(AlertSettings()),
    *workload_alerts(),
    *cluster_alerts(),
)
UNPACKED = ROOT / ".venvs" / "promtool"
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=UNPACKED)
EVALUATED = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here: make promtool")


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack's rules in Prometheus' own form; alerts see one cluster only, as on Azure."""
    recordings = [{"record": rule.name, "expr": rule.expression} for rule in RECORDINGS]
    alerts = [
        {"alert": rule.name, "expr": of_cluster(rule.expression), "for": f"{rule.minutes}m"}
        for rule in ALERTS
    ]
    groups = [
        {"name": "recordings", "interval": "1m", "rules": recordings},
        {"name": "alerts", "interval": "1m", "rules": alerts},
    ]
    path = tmp_path_factory.mktemp("rules") / "rules.json"
    path.write_text(json.dumps({"groups": groups}), encoding="utf-8")
    return path


def _promtool(*arguments: str) -> None:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@EVALUATED
def test_prometheus_takes_every_rule(rule_file: Path) -> None:
    _promtool("check", "rules", str(rule_file))


@EVALUATED
@pytest.mark.slow
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: f"{each.alert}: {each.story}")
def test_an_alert_goes_off_when_it_should_and_only_then(
    behaviour: Behaviour, rule_file: Path, tmp_path: Path
) -> None:
    labels = behaviour.labels
    test = {
        "interval": "1m",
        "input_series": [
            {"series": of_cluster(series), "values": values}
            for series, values in behaviour.series.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{behaviour.minute}m",
                "alertname": behaviour.alert,
                "exp_alerts": [] if labels is None else [{"exp_labels": labels}],
            }
        ],
    }
    path = tmp_path / "tests.json"
    path.write_text(
        json.dumps({"rule_files": [str(rule_file)], "evaluation_interval": "1m", "tests": [test]}),
        encoding="utf-8",
    )

    _promtool("test", "rules", str(path))


def test_each_alert_is_shown_going_off_and_staying_silent() -> None:
    names = {rule.name for rule in ALERTS}
    assert {each.alert for each in BEHAVIOURS if each.labels is not None} == names
    assert {each.alert for each in BEHAVIOURS if each.labels is None} == names


def test_the_longest_latency_that_can_be_asked_for_can_be_seen() -> None:
    """A percentile of a histogram never lies above its last bound, whatever the users waited."""
    (most,) = (
        each.le
        for each in AlertSettings.model_fields["p95_latency_ms"].metadata
        if hasattr(each, "le")
    )
    assert most / 1000 < SECONDS[-1]
