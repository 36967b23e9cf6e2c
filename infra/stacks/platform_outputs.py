"""What the services layer needs of the platform, in one stack or across two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pulumi


@dataclass(frozen=True)
class PlatformOutputs:
    """The platform, as the services see it; nothing here is a secret.

    A value that the platform does not have (no key vault, say) is an empty string, because stack
    outputs cannot tell a missing value from one that is not known yet.

    ``ready`` is no output: it holds what objects in the cluster wait for, and go before (nodes to
    run on, the right to be made), where one stack holds both.
    """

    resource_group_name: pulumi.Output[str]
    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    oidc_issuer_url: pulumi.Output[str]
    registry_login_server: pulumi.Output[str]
    gateway_address: pulumi.Output[str]
    gateway_address_name: pulumi.Output[str]
    prometheus_workspace_id: pulumi.Output[str]
    prometheus_query_endpoint: pulumi.Output[str]
    key_vault_id: pulumi.Output[str]
    key_vault_name: pulumi.Output[str]
    ready: Sequence[pulumi.Resource] = ()

    def export(self) -> None:
        """Make them outputs of this stack."""
        for name in self.names():
            pulumi.export(name, getattr(self, name))

    @classmethod
    def of_stack(cls, stack: str) -> PlatformOutputs:
        """Those that another stack exports.

        A key that is not there yet, as in a preview before the platform's first `up`, is unknown
        rather than an error; only an `up` needs it.
        """
        reference = pulumi.StackReference(stack)
        outputs: dict[str, Any] = {name: _exported(reference, stack, name) for name in cls.names()}
        return cls(**outputs)

    @classmethod
    def names(cls) -> list[str]:
        """The outputs' names."""
        return [field.name for field in fields(cls) if field.name != "ready"]


def _exported(reference: pulumi.StackReference, stack: str, name: str) -> pulumi.Output[Any]:
    """An output of another stack, without the reference as a dependency.

    Engines that are older than the SDK do not tell a preview the reference's id. What depends on
    it, the cluster's credentials above all, would be unknown then, and every object in the cluster
    would seem to change.
    """

    def found(value: Any) -> Any:
        if value is not None:
            return value
        if pulumi.runtime.is_dry_run():
            return pulumi.UNKNOWN
        raise pulumi.RunError(
            f"the stack {stack} has no output {name}: run `pulumi up` there first"
        )

    value = reference.get_output(name).apply(found)
    return pulumi.Output(set(), value.future(), value.is_known(), value.is_secret())
