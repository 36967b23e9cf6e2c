"""The real program, run with resources that go wrong while it declares them.

A run takes a second or two, so that cases share runs. Two cases share one only where neither
touches what the other does and where, in the hand-made stack, no policy reports both: what is
reported can then only come from the one case.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from infra.program import declare
from infra.recording import Recorded, record_component
from policies.offline import violations
from tests.infra.plans import settings_of
from tests.policies import azure_cases, kubernetes_cases
from tests.policies.good_stack import GOOD_STACK
from tests.policies.spoiling import Case

CASES = (*azure_cases.CASES, *kubernetes_cases.CASES)


@functools.cache
def reported_in_good_stack(case: Case) -> frozenset[str]:
    """Every policy that reports the hand-made stack when it is spoilt."""
    return policies_that_report(case.spoilt(GOOD_STACK))


def policies_that_report(resources: Sequence[Recorded]) -> frozenset[str]:
    return frozenset(violation.policy for violation in violations(resources))


@dataclass
class Round:
    """One run of a stack's program, and the cases that go wrong in it.

    Attributes:
        stack: of which the program runs.
        cases: which of them are tried.
        missed: steps of cases, by their number, that have found nothing to change so far.
    """

    stack: str
    cases: list[Case]
    missed: dict[Case, set[int]] = field(default_factory=dict[Case, set[int]])

    def takes(self, case: Case) -> bool:
        """Whether a further case can be told from those that are here."""
        return case.stack == self.stack and not any(
            case.overlaps(other) or reported_in_good_stack(case) & reported_in_good_stack(other)
            for other in self.cases
        )

    def changed(self, resource: Recorded) -> Recorded | None:
        """The resource as it goes wrong: what the program declares instead."""
        for case in self.cases:
            for number, spoil in enumerate(case.spoils):
                for change in spoil.changes:
                    if not change.concerns(resource):
                        continue
                    changed = change.act(resource, True)
                    if changed is not resource:
                        self.missed[case].discard(number)
                    if changed is None:
                        return None
                    resource = changed
        return resource

    @functools.cached_property
    def reported(self) -> frozenset[str]:
        """The policies that report what the program declared."""
        self.missed = {
            case: {number for number, spoil in enumerate(case.spoils) if spoil.changes}
            for case in self.cases
        }
        recording = record_component(self._program, stack=self.stack, transform=self.changed)
        return policies_that_report(recording.resources)

    def _program(self) -> None:
        declare(settings_of(self.stack))
        added = [
            spoil.added for case in self.cases for spoil in case.spoils if spoil.added is not None
        ]
        if added:
            opts = pulumi.ResourceOptions(provider=kubernetes.Provider("added"))
            for resource in added:
                pulumi.CustomResource(resource.type, resource.name, dict(resource.inputs), opts)

    @property
    def expected(self) -> frozenset[str]:
        """All that may report it."""
        return frozenset[str]().union(*map(reported_in_good_stack, self.cases))


@functools.cache
def trial(case: Case) -> Round:
    """The run in which a case is tried: a shared one, or one of its own where others hide it.

    In a pool that is no system pool any more, say, the faults of a system pool are none.
    """
    shared = _rounds()[case]
    return shared if case.policy in shared.reported else Round(case.stack, [case])


@functools.cache
def _rounds() -> dict[Case, Round]:
    """The run that each case shares."""
    by_stack: defaultdict[str, list[Round]] = defaultdict(list)
    chosen: dict[Case, Round] = {}
    for case in CASES:
        there = by_stack[case.stack]
        found = next((one for one in there if one.takes(case)), None)
        if found is None:
            found = Round(case.stack, [])
            there.append(found)
        found.cases.append(case)
        chosen[case] = found
    return chosen
