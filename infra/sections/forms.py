"""Texts of a certain form, and its description in words.

The same words tell a user what is allowed and describe the setting in docs/configuration.md.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

WRONG = "wrong_setting"
"""Type of the errors that say in their own words what is wrong and what is allowed."""


@dataclass(frozen=True)
class Form:
    """A form of text.

    Attributes:
        words: what is allowed.
        read: brings a text into its usual spelling; raises ValueError where it does not fit.
    """

    words: str
    read: Callable[[str], str]

    def __call__(self, value: str) -> str:
        """The value in its usual spelling."""
        try:
            return self.read(value)
        except PydanticCustomError:
            raise  # it says more than the form's words
        except ValueError as error:
            raise wrong("is wrong", self.words) from error


def matching(pattern: str, words: str) -> Form:
    """The form of the texts that match a regular expression as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def read(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(value)
        return value

    return Form(words, read)


def wrong(what: str, allowed: str) -> PydanticCustomError:
    """An error whose two halves become those of a mistake; the value is put before it."""
    return PydanticCustomError(
        WRONG, "{what}; allowed: {allowed}", {"what": what, "allowed": allowed}
    )


def _network(value: str) -> str:
    if "/" not in value:
        raise ValueError(value)
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        whole = ipaddress.IPv4Network(value, strict=False)
        raise wrong("has address bits after its prefix", str(whole)) from None


def _address(value: str) -> str:
    return str(ipaddress.IPv4Address(value))


NETWORK = Form("an IPv4 network such as 10.40.0.0/16", _network)
ADDRESS = Form("an IPv4 address such as 10.41.0.10", _address)
RESOURCE_ID = matching(
    r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/[^/\s]+(/[^/\s]+/[^/\s]+)+",
    "a resource id: /subscriptions/…/resourceGroups/…/providers/…/…/…",
)
MAIL_ADDRESS = matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "a mail address")
USER_PRINCIPAL_NAME = matching(
    r"[^@\s]+@[^@\s]+\.[^@\s]+", "a user principal name such as ada@example.org"
)
DIGEST_REFERENCE = matching(
    r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}",
    "an image by digest: registry/repository@sha256: and 64 hexadecimal digits",
)
LABEL = matching(
    r"[a-z][a-z0-9-]{0,10}[a-z0-9]",
    "2 to 12 lower-case letters, digits and hyphens, with a letter first and no hyphen last",
)
ZONE = matching(r"[123]", "1, 2 or 3")
REGION = matching(r"[a-z0-9]{4,30}", "an Azure region in lower case such as westeurope")


def _guid(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError(value)
    return value.lower()


def _host_name(value: str) -> str:
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if len(value) > 253 or not re.fullmatch(rf"{label}(\.{label})+", value):
        raise ValueError(value)
    return value


GUID = Form("a GUID such as 11111111-2222-3333-4444-555555555555", _guid)
HOST_NAME = Form("a host name in lower case such as scoring.example.org", _host_name)
