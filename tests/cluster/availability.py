"""How many pods of each workload were ready, at the worst moment.

Every change that the API server made to the pods is replayed, so that no moment is missed. A pod
that ends counts as gone from the moment it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.cluster.api import Object
from tests.cluster.deployed_stack import DeployedStack, is_ending, is_of, is_ready

PODS = "/api/v1/pods"


@dataclass
class Availability:
    """Of a time that is over.

    Attributes:
        fewest: by Deployment, the fewest pods that were ready at any moment of it.
        promised: those that the Deployment's budget keeps.
    """

    fewest: dict[str, int] = field(default_factory=dict[str, int])
    promised: dict[str, int] = field(default_factory=dict[str, int])

    def broken_promises(self) -> dict[str, str]:
        """The Deployments that had fewer pods than promised, with both numbers."""
        return {
            name: f"{fewest} of {self.promised[name]} promised"
            for name, fewest in self.fewest.items()
            if fewest < self.promised[name]
        }


@contextmanager
def watched(stack: DeployedStack) -> Iterator[Availability]:
    """The availability of the block; at its begin and end all pods must be ready."""
    found = Availability()
    since = stack.api.version(PODS)
    yield found
    changes = list(stack.api.changes(PODS, since))
    now = stack.api.list(PODS)
    for deployment in stack.of_kind("Deployment"):
        name = deployment["metadata"]["name"]
        found.promised[name] = stack.promised(name)
        found.fewest[name] = _fewest(
            [pod for pod in now if is_of(pod, deployment)],
            [(type_, pod) for type_, pod in changes if is_of(pod, deployment)],
        )


def _fewest(now: list[Object], changes: list[tuple[str, Object]]) -> int:
    # What was there then is told by what changed it; pods that nothing changed are there still.
    added = {_name(pod) for type_, pod in changes if type_ == "ADDED"}
    ready = {_name(pod) for pod in (*now, *(pod for _, pod in changes))} - added
    fewest = len(ready)
    for type_, pod in changes:
        if type_ == "DELETED" or is_ending(pod) or not is_ready(pod):
            ready.discard(_name(pod))
        else:
            ready.add(_name(pod))
        fewest = min(fewest, len(ready))
    return fewest


def _name(pod: Object) -> str:
    return pod["metadata"]["name"]
