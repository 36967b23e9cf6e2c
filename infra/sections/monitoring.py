"""Settings of logs, metrics, traces and alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from infra.sections.base import MailAddress, ResourceId, Section
from infra.sections.forms import matching

ObjectName = Annotated[
    str,
    AfterValidator(
        matching(
            r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "a name of Kubernetes', such as otel-collector"
        )
    ),
]
Month = Annotated[
    str, AfterValidator(matching(r"20\d{2}-(0[1-9]|1[0-2])", "a month such as 2026-12"))
]


class LogSettings(Section):
    """Log Analytics."""

    existing_workspace_id: ResourceId | None = Field(
        default=None,
        description="a Log Analytics workspace that exists already, used instead of a new one; it "
        "must be in the stack's region, which an id does not tell, or Azure refuses the collection "
        "of container logs",
    )
    retention_days: int = Field(
        default=30, ge=30, le=730, description="how long logs can be queried"
    )
    daily_cap_gb: float | None = Field(
        default=1.0, gt=0, le=1000, description="most gigabytes taken in a day; null for no limit"
    )
    container_logs_plan: Literal["Analytics", "Basic"] = Field(
        default="Analytics",
        description="Basic is a third of the price, without alerts on container logs",
    )
    system_namespaces: bool = Field(
        default=False, description="also collect stdout and stderr of Kubernetes' own namespaces"
    )
    audit: Literal["off", "admin", "all"] = Field(
        default="admin", description="audit log of the API server: writes only, or reads too"
    )


class AlertSettings(Section):
    """Whom to tell, and of what."""

    emails: tuple[MailAddress, ...] = Field(
        default=(), max_length=20, description="who gets alerts; none switches the alerts off"
    )
    p95_latency_ms: int = Field(
        default=1000,
        ge=1,
        # The services' histograms end at ten seconds: a percentile never seems longer.
        le=9_999,
        description="a service's 95th percentile above this is an alert",
    )
    error_percent: float = Field(
        default=1.0, gt=0, le=100, description="a share of 5xx answers above this is an alert"
    )
    refused_percent: float = Field(
        default=5.0,
        gt=0,
        le=100,
        description="a share of requests refused for capacity above this too",
    )


class TraceSettings(Section):
    """An OpenTelemetry collector in the cluster, which the services send their traces to."""

    namespace: ObjectName = Field(description="namespace of the collector's Service and its pods")
    service: ObjectName = Field(description="the collector's Service")
    port: int = Field(
        default=4317, ge=1, le=65_535,
        description="for OTLP over gRPC; the same of the Service and of its pods",
    )  # fmt: skip
    sample_percent: float = Field(
        default=5.0, ge=0, le=100,
        description="share of the requests that are traced; those whose caller traces them always are",
    )  # fmt: skip


class MonitoringSettings(Section):
    """Logs, metrics, traces, dashboards and alerts."""

    logs: LogSettings = Field(default_factory=LogSettings, description="Log Analytics")
    prometheus: bool = Field(
        default=False,
        description="managed Prometheus; needed by the services' alerts and queue scaling",
    )
    grafana: bool = Field(default=False, description="managed Grafana over managed Prometheus")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="alerts")
    traces: TraceSettings | None = Field(
        default=None,
        description="send the services' traces to this collector; images that are built for it hold "
        "what that takes, prebuilt ones must",
    )
    monthly_budget: int | None = Field(
        default=None, ge=1, le=1_000_000,
        description="mail the alert addresses at 80 and 100 % of this spending a month, in the "
        "billing account's currency",
    )  # fmt: skip
    budget_from: Month | None = Field(
        default=None,
        description="first month of the budget, YYYY-MM; needed with monthly_budget. Azure takes "
        "the month in which the budget is made or one of the next eleven, and never changes it "
        "afterwards",
    )  # fmt: skip
