"""Where the committed stack files and the matrix are, and sound settings to break."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted(ROOT.glob("Pulumi.*.yaml"))
MATRIX = sorted((Path(__file__).parent / "matrix").glob("*.yaml"))

SOUND: dict[str, Any] = {
    "subscription_id": "11111111-1111-1111-1111-111111111111",
    "tenant_id": "22222222-2222-2222-2222-222222222222",
}
SOUND_PROD: dict[str, Any] = {
    **SOUND,
    "environment": "prod",
    "cluster": {"tier": "Standard", "private": True},
    "security": {"protect": True},
    "access": {"cluster_admin_groups": ["33333333-3333-3333-3333-333333333333"]},
    "gateway": {"tls": {"issuer": "acme", "email": "a@example.org"}},
    "faq": {"scaling": {"min_replicas": 2}},
    "resnet": {"scaling": {"min_replicas": 2}},
}


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with values at dotted keys; None takes a key away."""
    result = copy.deepcopy(values)
    for dotted, value in changes.items():
        *groups, last = dotted.split(".")
        group = result
        for name in groups:
            group = group.setdefault(name, {})
        if value is None:
            group.pop(last, None)
        else:
            group[last] = copy.deepcopy(value)
    return result
