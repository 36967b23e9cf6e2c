"""Why Azure could not be asked, in one line each, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.doctor.answers import SIGN_IN, NotSignedIn, first_line

_ACTION = re.compile(r"perform action '([^']+)'")


@dataclass(frozen=True)
class Reason:
    """Why, and the command that helps; None where only waiting does."""

    why: str
    remedy: str | None


def reason_of(error: Exception) -> Reason:
    """The reason behind an error of a client; no text of a response is passed on but its code."""
    from azure.core import exceptions

    if isinstance(error, NotSignedIn):
        return Reason(f"not signed in: {error}", error.remedy)
    if isinstance(error, exceptions.HttpResponseError) and error.status_code is not None:
        return _answered(error.status_code, error.error.code if error.error else None, error)
    if isinstance(error, exceptions.ClientAuthenticationError):
        return Reason(f"not signed in: {first_line(error.message)}", SIGN_IN)
    if isinstance(error, exceptions.ServiceRequestError | exceptions.ServiceResponseError):
        return Reason("Azure cannot be reached from here", "check network and proxy, and try again")
    if isinstance(error, OSError):
        return Reason(error.strerror or type(error).__name__, None)
    return Reason(f"the answer was not understood ({type(error).__name__})", None)


def _answered(status: int, code: str | None, error: Exception) -> Reason:
    named = f"{status} {code}" if code else str(status)
    if status == 401:
        return Reason(f"the sign-in has expired or is not accepted ({named})", SIGN_IN)
    if status == 403:
        action = _ACTION.search(str(error))
        needed = f" {action[1]}" if action else ""
        return Reason(
            f"no permission to look ({named}){': needs' + needed if needed else ''}",
            "ask for the role Reader on the subscription",
        )
    if status == 429:
        return Reason(f"Azure asks to wait ({named})", "try again in a few minutes")
    if status == 404:
        return Reason(f"Azure knows nothing of it ({named})", "az account list --output table")
    if code == "MissingSubscriptionRegistration":
        return Reason(f"its resource provider is not registered ({named})", None)
    if status >= 500:
        return Reason(f"Azure failed ({named})", "try again; status.azure.com tells of outages")
    return Reason(f"Azure refused the question ({named})", None)
