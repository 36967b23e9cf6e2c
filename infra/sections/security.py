"""Settings of Defender, Key Vault and Azure Policy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.sections.base import MailAddress, Section


class DefenderSettings(Section):
    """Microsoft Defender for Containers."""

    plan: Literal["off", "owned", "elsewhere"] = Field(
        default="off",
        description="the subscription-wide plan: off; owned by this stack (one stack per "
        "subscription); or switched on elsewhere",
    )
    cluster_profile: bool = Field(default=False, description="run the Defender sensor on the nodes")
    contact: MailAddress | None = Field(
        default=None, description="who gets Defender's alerts; needed where the plan is owned"
    )


class KeyVaultSettings(Section):
    """The key vault and how pods read it."""

    enabled: bool = Field(
        default=False, description="make a key vault and mount its secrets by the CSI driver"
    )
    purge_protection: bool = Field(
        default=True, description="nobody can purge deleted secrets early; cannot be undone"
    )
    private: bool = Field(default=False, description="reachable by private endpoint only")
    rotation_poll_minutes: int = Field(
        default=2, ge=1, le=1440, description="how often mounted secrets are read again"
    )


class SecuritySettings(Section):
    """Protection of cluster, secrets and resources."""

    defender: DefenderSettings = Field(default_factory=DefenderSettings, description="Defender")
    key_vault: KeyVaultSettings = Field(
        default_factory=KeyVaultSettings, description="key vault and CSI driver"
    )
    azure_policy: Literal["off", "audit", "deny"] = Field(
        default="off", description="Azure Policy's restricted pod security standard on the cluster"
    )
    safeguards: Literal["off", "Warn", "Enforce"] = Field(
        default="off", description="AKS deployment safeguards (a preview API)"
    )
    protect: bool = Field(
        default=False,
        description="refuse to delete what holds data or names: registry, logs, vault, network",
    )
    locks: bool = Field(
        default=False,
        description="put CanNotDelete locks on them in Azure, which hold back everybody else; these "
        "refuse to delete role assignments and diagnostic settings of what is locked too: to take "
        "access away, set false and apply, make the change, then set true again; `pulumi destroy` "
        "takes them off by itself",
    )
