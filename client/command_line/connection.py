"""From flags and environment to a service."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from client.address import Address, read_address
from client.api_key import find_key
from client.command_line.parsing import UsageError


@dataclass(frozen=True)
class Service:
    """Where a service is by default, and the environment variable that says otherwise."""

    name: str
    variable: str
    default: str

    @property
    def help(self) -> str:
        """For ``--help``."""
        return f"{self.variable}, default {self.default}"


FAQ = Service("faq", "SCORING_FAQ_URL", "http://127.0.0.1:8081")
RESNET = Service("resnet", "SCORING_RESNET_URL", "http://127.0.0.1:8082")


def chosen_address(
    flags: argparse.Namespace, service: Service, environment: Mapping[str, str]
) -> Address:
    """The address by flag, else by environment, else the default."""
    given: Address | None = flags.url
    if given is not None:
        return given
    try:
        return read_address(environment.get(service.variable) or service.default)
    except ValueError as error:
        raise UsageError(f"{service.variable}: {error}") from None


def chosen_key(
    flags: argparse.Namespace, address: Address, environment: Mapping[str, str]
) -> str | None:
    """The key by file, else by environment; refused where it would travel unencrypted."""
    try:
        key = find_key(flags.key_file, environment)
    except ValueError as error:
        raise UsageError(str(error)) from None
    is_private = address.scheme == "https" or address.is_loopback
    if key is not None and not is_private and not flags.key_over_plain_http:
        raise UsageError(
            "the API key is sent to other machines over https only (or --key-over-plain-http)"
        )
    return key
