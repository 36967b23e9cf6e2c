"""What one plan has more, less and otherwise than another."""

from __future__ import annotations

from infra.planning.differences import EVERYWHERE, differences
from infra.planning.monitor import Options, Recorded
from infra.planning.wire import Secret, Value

SUBNET = "azure-native:network:Subnet"


def _made(name: str, options: Options | None = None, **inputs: Value) -> Recorded:
    return Recorded(SUBNET, name, f"urn:{name}", "", inputs, options or Options(), custom=True)


def test_nothing_differs_from_itself() -> None:
    assert differences((_made("a", x=1),), (_made("a", x=1),)) == []


def test_each_property_is_told_by_its_path() -> None:
    old = _made("a", kept=1, gone=True, changed={"list": ["x"]})
    new = _made("a", kept=1, come="y", changed={"list": ["z"]})
    assert differences((old,), (new,)) == [
        f"~ a  {SUBNET}",
        '    ~ changed.list[0]: "x" → "z"',
        '    + come: "y"',
        "    - gone: true",
    ]


def test_resources_come_and_go() -> None:
    assert differences((_made("a", x=1),), (_made("b", y=2),)) == [
        f"- a  {SUBNET}",
        f"+ b  {SUBNET}",
        "    + y: 2",
    ]


def test_options_count_but_what_depends_on_what_does_not() -> None:
    old = _made("a", Options(depends_on=("urn:x",)))
    new = _made("a", Options(protect=True, depends_on=("urn:y",)))
    assert differences((old,), (new,)) == [f"~ a  {SUBNET}", "    + options.protect: true"]


def test_what_changes_everywhere_is_told_once() -> None:
    names = [f"n{number}" for number in range(EVERYWHERE)]
    old = tuple(_made(name, tier="dev") for name in names)
    new = tuple(_made(name, tier="prod") for name in names)
    assert differences(old, new) == [f'~ tier: "dev" → "prod"   ({EVERYWHERE} resources)']


def test_a_changed_secret_is_not_shown() -> None:
    """Nor that it changed: the plan holds no more of it than that it is one."""
    assert differences((_made("a", key=Secret("old")),), (_made("a", key=Secret("new")),)) == []
