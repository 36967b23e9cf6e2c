"""What `pulumi up` and the offline plan both run."""

from __future__ import annotations

from infra.azure.locks import Locks
from infra.settings import Settings
from infra.stacks.local import declare_local
from infra.stacks.platform import declare_platform
from infra.stacks.platform_outputs import PlatformOutputs
from infra.stacks.services import declare_services


def declare(settings: Settings) -> None:
    """Declare the layers that the stack holds."""
    if settings.is_local:
        declare_local(settings)
        return
    locks = Locks(wanted=settings.security.locks)
    if settings.platform_stack is None:
        platform = declare_platform(settings, locks)
        platform.export()
    else:
        platform = PlatformOutputs.of_stack(settings.platform_stack)
    if settings.has_services:
        declare_services(settings, platform, locks)
    locks.declare()
