"""Names and tags of Azure resources.

Prefixes are those of the Cloud Adoption Framework
(learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-abbreviations),
lengths those of learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules.
Names depend on settings alone, so that two runs always agree.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass

UNIQUE_CHARACTERS = 6
NAMESPACE = uuid.UUID("6f1d4d7e-4c1c-5a61-9c0e-6d0b3a0f8f55")
"""Of the role assignments' names; any constant would do, but it must never change."""


@dataclass(frozen=True)
class Naming:
    """Names of one stack's resources.

    Attributes:
        workload: first part, such as ``scoring``.
        stack: the Pulumi stack's name, such as ``prod``.
        location: Azure region.
        subscription_id: makes names unique that all of Azure shares.
    """

    workload: str
    stack: str
    location: str
    subscription_id: str

    def resource(self, prefix: str, *parts: str, longest: int = 63) -> str:
        """``prefix-workload-stack-parts``, as most resources are named.

        A name that would be too long ends in a hash, so that two long names never become one.
        """
        name = "-".join((prefix, self.workload, self._plain_stack, *parts)).lower()
        if len(name) <= longest:
            return name
        return f"{name[: longest - UNIQUE_CHARACTERS - 1]}-{_hash(name)}"

    def globally_unique(self, prefix: str, longest: int) -> str:
        """Letters and digits only, unique in Azure: registries, vaults, storage accounts."""
        stem = f"{prefix}{self.workload}{self._plain_stack}".replace("-", "").lower()
        unique = _hash(f"{self.subscription_id}/{self.workload}/{self.stack}")
        return f"{stem[: longest - UNIQUE_CHARACTERS]}{unique}"

    def tenant_wide(self, what: str) -> str:
        """A name for people, unique in the tenant: another subscription may have a like stack."""
        return f"{self.workload} {self.stack} {what} {_hash(self.subscription_id)}"

    def stable_guid(self, *parts: str) -> str:
        """The same GUID for the same parts: a role assignment made again keeps its name."""
        whose = (self.subscription_id, self.workload, self.stack)
        return str(uuid.uuid5(NAMESPACE, "/".join((*whose, *parts))))

    @property
    def _plain_stack(self) -> str:
        """The stack's name with letters, digits and hyphens only; two stacks never share one."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.stack.lower()).strip("-")
        return plain if plain == self.stack else f"{plain}-{_hash(self.stack)}".lstrip("-")


def tags(workload: str, environment: str, stack: str, further: dict[str, str]) -> dict[str, str]:
    """Tags of every resource; the settings' own come last and may replace none of ours."""
    ours = {
        "application": workload,
        "environment": environment,
        "managed-by": "pulumi",
        "pulumi-stack": stack,
    }
    return {**further, **ours}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:UNIQUE_CHARACTERS]
