"""The plan for people: a tree of what would be made, counts, and the outputs to expect."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from infra.planning.monitor import Recorded
from infra.planning.wire import Value, without_secrets
from infra.planning.worth_showing import shortened, shown_properties
from infra.standard_output import BOLD, DIM, Screen


def tree(resources: tuple[Recorded, ...], screen: Screen) -> Iterator[str]:
    """One line a resource, children below their parents; longer ones go on below."""
    children: dict[str, list[Recorded]] = defaultdict(list)
    for resource in resources:
        children[resource.parent].append(resource)
    yield from _branches(children, "", "", screen)


def counts(resources: tuple[Recorded, ...], screen: Screen) -> Iterator[str]:
    """How many of each type, and of all."""
    made = [resource for resource in resources if resource.custom]
    components = len(resources) - len(made)
    yield screen.styled(BOLD, f"{len(made)} resources in {components} components")
    for type_, number in sorted(Counter(resource.type for resource in made).items()):
        yield f"  {number:4}  {type_}"


def stack_outputs(outputs: Mapping[str, Value], screen: Screen) -> Iterator[str]:
    """The stack's outputs: addresses to call first, what only a run knows as ``<name.property>``."""
    yield screen.styled(BOLD, "Outputs")
    widest = max((len(name) for name in outputs), default=0)
    for name in sorted(outputs, key=lambda name: (not name.endswith("url"), name)):
        value = str(without_secrets(outputs[name]))
        yield f"  {name:{widest}}  {shortened(value) or '(none)'}"


def _branches(
    children: Mapping[str, Sequence[Recorded]], urn: str, prefix: str, screen: Screen
) -> Iterator[str]:
    siblings = sorted(children.get(urn, ()), key=_place)
    for resource in siblings:
        last = resource is siblings[-1]
        below = f"{prefix}{'   ' if last else '│  '}"
        trunk = "│  " if children.get(resource.urn) else "   "
        head = f"{prefix}{'└─ ' if last else '├─ '}"
        yield from _lines(resource, head, f"{below}{trunk}", screen)
        yield from _branches(children, resource.urn, below, screen)


def _place(resource: Recorded) -> tuple[bool, str, str]:
    """Providers first, since everything else is made through them."""
    return not resource.type.startswith("pulumi:"), resource.name, resource.type


def _lines(resource: Recorded, head: str, below: str, screen: Screen) -> Iterator[str]:
    type_ = _short_type(resource.type)
    title = f"{head}{screen.styled(BOLD, resource.name)}  {screen.styled(DIM, type_)}"
    taken = len(head) + len(resource.name) + 2 + len(type_)
    details = " · ".join([*shown_properties(resource.type, resource.inputs), *_marks(resource)])
    if not details or screen.width is None or taken + 2 + len(details) <= screen.width:
        yield f"{title}  {details}".rstrip()
        return
    yield title
    room = max(screen.width - len(below) - 2, 20)
    for line in textwrap.wrap(details, room, break_on_hyphens=False):
        yield f"{below}  {line}"


def _short_type(type_: str) -> str:
    """``azure-native:network:Subnet`` → ``network:Subnet``: the tree is long enough."""
    for package in ("azure-native:", "kubernetes:", "realtime-scoring:"):
        if type_.startswith(package):
            return type_.removeprefix(package)
    return type_


def _marks(resource: Recorded) -> Iterator[str]:
    options = resource.options
    if options.protect:
        yield "[protected]"
    if options.retain_on_delete:
        yield "[kept when deleted]"
    if options.ignore_changes:
        yield f"[ignores {', '.join(options.ignore_changes)}]"
