"""What the tests of monitoring share: the alerts of a stack, and what a recorded alert says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.azure.alerts import Alerts, AlertsArgs
from infra.azure.place import Place
from infra.recording import Recorded, Recording, record_component
from infra.sections.monitoring import MonitoringSettings

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-scoring-test"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-scoring-test"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-scoring-test"
PROMETHEUS = f"{GROUP}/providers/Microsoft.Monitor/accounts/amw-scoring-test"

WORDS = {
    "absent", "and", "avg", "count", "histogram_quantile", "increase", "irate", "label_replace",
    "max", "max_over_time", "min", "or", "rate", "sum", "time", "topk", "unless",
}  # fmt: skip
RUNBOOK = re.compile(r"docs/alerts\.md#([a-z]+)")


def names_in(expression: str) -> Iterator[str]:
    """The series that an expression in PromQL reads."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    return (n for n in re.findall(r"[a-zA-Z_][\w:]*", bare) if n not in WORDS)


def of_cluster(expression: str) -> str:
    """An expression as Azure evaluates it for a group with a cluster's name."""
    for name in set(names_in(expression)):
        expression = re.sub(rf"(?<![\w:\"]){name}(?![\w:\"])\{{?", _limited, expression)
    return expression


def _limited(selector: re.Match[str]) -> str:
    name, brace, _ = selector[0].partition("{")
    return f'{name}{{cluster="c"{"," if brace else "}"}'


def record_alerts(place: Place, settings: MonitoringSettings) -> Recording:
    """What the alerts of these settings declare."""
    return record_component(
        lambda: Alerts(
            "alerts",
            AlertsArgs(
                place,
                settings,
                cluster_id=CLUSTER,
                cluster_name="aks-scoring-test",
                prometheus_workspace_id=PROMETHEUS if settings.prometheus else None,
                workspace_id=LOGS,
            ),
        )
    )


def with_alerts(**others: object) -> MonitoringSettings:
    """Monitoring settings with somebody to tell."""
    return MonitoringSettings.model_validate(
        {"alerts": {"emails": ["on-call@example.org"]}, **others}
    )


def prometheus_rules(recording: Recording) -> list[Mapping[str, Any]]:
    """Alerting and recording rules of every group."""
    groups = recording.of_type(":PrometheusRuleGroup")
    return [rule for group in groups for rule in _list(group, "rules")]


def runbooks(recording: Recording) -> set[str]:
    """Sections of docs/alerts.md that the declared alerts point at."""
    return {
        anchor
        for resource in recording.resources
        for anchor in RUNBOOK.findall(str(resource.inputs))
    }


def _list(resource: Recorded, key: str) -> list[Mapping[str, Any]]:
    value: Any = resource.inputs[key]
    return value
