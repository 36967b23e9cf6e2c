"""A client of a Kubernetes API server, as small as these tests need it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Object = dict[str, Any]

MANAGER = "pulumi-kubernetes"
POLL_SECONDS = 0.05
RETRY_SECONDS = 20


class Refused(Exception):
    """What the API server refused, in its own words."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            text = response.json().get("message", response.text)
        except ValueError:
            text = response.text
        super().__init__(f"{response.status_code}: {text}")
        self.status = response.status_code


@dataclass(frozen=True)
class Kind:
    """Where the objects of a kind live."""

    root: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.root}{place}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """An API server that is reached as its administrator, or as somebody else."""

    def __init__(self, address: str, token: str, headers: Mapping[str, str] | None = None) -> None:
        self.address = address
        self.token = token
        # The certificate is the disposable server's own, and the connection never leaves loopback.
        self._client = httpx.Client(
            base_url=address,
            verify=False,
            timeout=30,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )
        self._kinds: dict[tuple[str, str], Kind] = {}

    def acting_as(self, user: str, *groups: str) -> Api:
        """The same server for somebody else, by impersonation."""
        api = Api(self.address, self.token, {"Impersonate-User": user})
        for group in (*groups, "system:authenticated"):
            api._client.headers = httpx.Headers(
                [*api._client.headers.raw, (b"Impersonate-Group", group.encode())]
            )
        return api

    def request(self, method: str, path: str, **options: Any) -> Any:
        response = self._client.request(method, path, **options)
        until = time.monotonic() + RETRY_SECONDS
        # A custom resource's storage is made anew when its definition's status changes.
        while response.status_code == 429 and b"(re)initializing" in response.content:
            if time.monotonic() > until:
                break
            time.sleep(POLL_SECONDS)
            response = self._client.request(method, path, **options)
        if response.status_code >= 400:
            raise Refused(response)
        return response.json()

    def kind(self, api_version: str, kind: str) -> Kind:
        """A kind by the words of a manifest.

        Raises:
            LookupError: where the server knows no such kind.
        """
        if (api_version, kind) not in self._kinds:
            root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
            for found in self.request("GET", root)["resources"]:
                if "/" not in found["name"]:
                    self._kinds[api_version, found["kind"]] = Kind(
                        root, found["name"], found["namespaced"]
                    )
        try:
            return self._kinds[api_version, kind]
        except KeyError:
            raise LookupError(f"{api_version} {kind}") from None

    def path_of(self, found: Object) -> str:
        """Where an object is."""
        kind = self.kind(found["apiVersion"], found["kind"])
        metadata = found["metadata"]
        return kind.path(metadata.get("namespace"), metadata["name"])

    def apply(self, found: Object) -> Object:
        """Apply server-side, as Pulumi does; a field that nobody knows is an error."""
        return self.request(
            "PATCH",
            self.path_of(found),
            params={"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(found),
        )

    def create(self, found: Object, *, dry_run: bool = False) -> Object:
        """Create an object; in a dry run everything but that is done, admission too."""
        kind = self.kind(found["apiVersion"], found["kind"])
        path = kind.path(found["metadata"].get("namespace"))
        return self.request("POST", path, json=found, params={"dryRun": "All"} if dry_run else {})

    def merge(self, path: str, change: Object) -> Object:
        """Change some fields of the object at a path."""
        return self.request(
            "PATCH",
            path,
            headers={"Content-Type": "application/merge-patch+json"},
            content=json.dumps(change),
        )

    def get(self, path: str) -> Object:
        return self.request("GET", path)

    def list(self, path: str, selector: Mapping[str, str] | None = None) -> list[Object]:
        labels = ",".join(f"{key}={value}" for key, value in (selector or {}).items())
        return self.request("GET", path, params={"labelSelector": labels})["items"]

    def delete(self, path: str, *, at_once: bool = False) -> None:
        """Delete what is at a path; what is gone already is no error."""
        options = {"propagationPolicy": "Background"}
        if at_once:
            options["gracePeriodSeconds"] = "0"
        try:
            self.request("DELETE", path, params=options)
        except Refused as refused:
            if refused.status != 404:
                raise

    def evict(self, namespace: str, pod: str) -> bool:
        """Ask for a pod's eviction, as a drain does; False while a budget forbids it."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        try:
            self.request("POST", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", json=body)
        except Refused as refused:
            if refused.status != 429:
                raise
            return False
        return True

    def version(self, path: str) -> str:
        """The version of a list, from which :meth:`changes` tells what happened since."""
        return self.request("GET", path)["metadata"]["resourceVersion"]

    def changes(self, path: str, since: str) -> Iterator[tuple[str, Object]]:
        """Every change since a version until now, in order: its type, and the object after it."""
        parameters = {"watch": "true", "resourceVersion": since, "timeoutSeconds": "1"}
        with self._client.stream("GET", path, params=parameters) as response:
            for line in response.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise LookupError(event["object"]["message"])
                yield event["type"], event["object"]
