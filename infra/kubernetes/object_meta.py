"""Names and labels of Kubernetes objects."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.places import PART_OF, PART_OF_LABEL

LABELS = {PART_OF_LABEL: PART_OF, "app.kubernetes.io/managed-by": "pulumi"}
"""Of every object of the stack."""


def object_meta(
    name: str,
    namespace: pulumi.Input[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> kubernetes.meta.v1.ObjectMetaArgs:
    """An explicit name, so that Pulumi adds no random end, and the stack's labels."""
    return kubernetes.meta.v1.ObjectMetaArgs(
        name=name,
        namespace=namespace,
        labels={**LABELS, **(labels or {})},
        annotations=annotations,
    )
