"""How Azure Resource Manager is asked: patiently, with a token, and without changing anything.

The clients' usual policies would register resource providers where one is missing; these do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

ENDPOINT = "https://management.azure.com"
SCOPE = "https://management.azure.com/.default"
CONNECT_SECONDS = 10
READ_SECONDS = 30
RETRY_SECONDS = 60
"""Longest that one question may take with its repetitions; a longer Retry-After is not waited for."""
MOST_PAGES = 200


@dataclass(frozen=True)
class Arm:
    """Azure Resource Manager.

    Attributes:
        credential: gives tokens.
        endpoint: where it is.
        authentication: makes the policy that puts tokens on requests; None for Azure's own.
    """

    credential: Any
    endpoint: str = ENDPOINT
    authentication: Callable[[Any], Any] | None = None

    def client(self, kind: Any, *arguments: str) -> Any:
        """A client of one of Azure's management libraries."""
        return kind(
            self.credential,
            *arguments,
            base_url=self.endpoint,
            policies=self._policies(),
            **_timeouts(),
        )

    def _policies(self) -> list[Any]:
        from azure.core.pipeline import policies
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        return [
            policies.RequestIdPolicy(),
            policies.UserAgentPolicy(base_user_agent="realtime-scoring-doctor"),
            policies.ProxyPolicy(),
            policies.ContentDecodePolicy(),
            policies.RedirectPolicy(),
            policies.RetryPolicy(retry_total=4, retry_status=4, timeout=RETRY_SECONDS),
            ARMChallengeAuthenticationPolicy(self.credential, SCOPE)
            if self.authentication is None
            else self.authentication(self.credential),
            policies.SensitiveHeaderCleanupPolicy(),
        ]

    def pages(self, path: str, version: str) -> list[dict[str, Any]] | None:
        """All values of a list; None where what it belongs to is not there."""
        values: list[dict[str, Any]] = []
        address = path
        for _ in range(MOST_PAGES):
            answer = self.ask("GET", address, version)
            if answer is None:
                return None
            values += answer.get("value", [])
            address = answer.get("nextLink") or ""
            # A token goes nowhere but to Azure.
            if not address.startswith(f"{self.endpoint}/"):
                break
        return values

    def ask(
        self, method: str, path: str, version: str, body: dict[str, str] | None = None
    ) -> dict[str, Any] | None:
        """One answer of what azure-mgmt has no small client for; None for 404.

        azure-mgmt-network takes 300 MB of memory; none asks for permissions at a subscription.
        """
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest
        from azure.mgmt.core import ARMPipelineClient

        make: Any = ARMPipelineClient
        client: Any = make(self.endpoint, policies=self._policies(), **_timeouts())
        is_link = path.startswith(("https:", "http:"))
        request = HttpRequest(
            method,
            path if is_link else f"{self.endpoint}{path}",
            params=None if is_link else {"api-version": version},
            json=body,
        )
        response: Any = client.send_request(request)
        if response.status_code == 404:
            return None
        if response.status_code >= 400:
            raise HttpResponseError(response=response)
        return cast("dict[str, Any]", response.json())


def _timeouts() -> dict[str, Any]:
    return {"connection_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
