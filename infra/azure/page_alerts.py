"""Alerts on the client application: that its page works, and that people can sign in."""

from __future__ import annotations

from infra.azure.prometheus_rules import SERVICE_LABEL, AlertRule, Severity
from infra.azure.service_alerts import ANSWERED, SERVER_ERRORS
from infra.sections.monitoring import AlertSettings

PROBES = 'route!~"/livez|/readyz"'
SIGN_INS = "web_sign_ins_total"
FAULTS = 'outcome=~"provider failed|code refused|token refused"'
"""Of the provider or of the settings; none that a stranger could bring about: docs/sign-in.md."""
SIGNED_IN = 'outcome="signed in"'


def page_alerts(settings: AlertSettings) -> tuple[AlertRule, ...]:
    """Alerts on what people at the page notice while the services behind it are well."""
    return (
        AlertRule(
            "PageErrors",
            f"100 * {_rate(SERVER_ERRORS)} / {_rate(ANSWERED)} > {settings.error_percent:g}",
            10,
            Severity.ERROR,
            f"More than {settings.error_percent:g} % of the client application's answers are "
            "server errors.",
        ),
        AlertRule(
            "NobodySignsIn",
            # An increase is extrapolated to the window's edges: two come out as 2.07.
            f"{_ended(FAULTS)} > 2.5 unless on ({SERVICE_LABEL}) {_ended(SIGNED_IN)} > 0",
            5,
            Severity.ERROR,
            "Sign-ins fail at the provider or for the settings, and none has gone well for half an "
            "hour.",
        ),
    )


def _rate(codes: str) -> str:
    return f"sum by ({SERVICE_LABEL}) (rate(web_requests_total{{{PROBES},{codes}}}[5m]))"


def _ended(outcomes: str) -> str:
    return f"sum by ({SERVICE_LABEL}) (increase({SIGN_INS}{{{outcomes}}}[30m]))"
