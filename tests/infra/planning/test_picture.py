"""The picture of the architecture: what the plan declares, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from infra.planning.drawing import Place, _all, _placed, _size, svg
from infra.planning.picture import Box, Picture, picture
from infra.planning.stacks import ROOT
from tests.infra.plans import NAMES, recording_of

SVG = "{http://www.w3.org/2000/svg}"


def picture_of(stack: str) -> Picture:
    return picture(recording_of(stack))


def boxes(box: Box) -> Iterator[Box]:
    yield box
    for inner in box.inside:
        yield from boxes(inner)


def box_named(drawn: Picture, key: str) -> Box:
    return next(box for box in boxes(drawn.page) if box.key == key)


def keys(drawn: Picture) -> set[str]:
    return {box.key for box in boxes(drawn.page)}


def arrows(drawn: Picture) -> set[tuple[str, str]]:
    return {(arrow.start, arrow.end) for arrow in drawn.arrows}


def test_a_request_goes_by_the_address_and_the_gateway_to_the_pods() -> None:
    assert {
        ("clients", "address"),
        ("address", "gateway"),
        ("gateway", "pods faq"),
        ("gateway", "pods resnet"),
    } <= arrows(picture_of("prod"))


def test_pods_stand_in_the_pool_that_they_select() -> None:
    drawn = picture_of("prod")
    inside = {
        pool: [box.title for box in box_named(drawn, f"pool {pool}").inside]
        for pool in ("cpu", "gpu", "system")
    }
    assert inside == {"cpu": ["faq"], "gpu": ["resnet"], "system": []}


def test_boxes_carry_the_figures_of_the_plan() -> None:
    drawn = picture_of("prod")
    assert box_named(drawn, "pool cpu").lines == ("Standard_D8ds_v5 × 3–12", "zones 1, 2, 3")
    assert box_named(drawn, "pods faq").lines == ("3–24 replicas", "cpu 1000m")
    assert "sign-in by Entra only" in box_named(drawn, "cluster").lines
    assert box_named(drawn, "address").lines[-1] == "DDoS protection plan"


def test_what_a_stack_does_not_declare_is_not_drawn() -> None:
    assert "dashboards" in keys(picture_of("prod"))
    assert not {"dashboards", "metrics", "pool gpu"} & keys(picture_of("dev"))
    assert "address" not in keys(picture_of("split-services"))
    assert ("clients", "gateway") in arrows(picture_of("split-services"))


def test_a_platform_alone_has_pools_without_pods() -> None:
    drawn = keys(picture_of("split-platform"))
    assert "pool cpu" in drawn
    assert not any(key.startswith("pods ") for key in drawn)


def test_the_local_stack_is_containers_on_one_network() -> None:
    drawn = picture_of("local")
    assert [box.title for box in box_named(drawn, "engine").inside] == ["faq", "resnet"]
    assert arrows(drawn) == {
        ("clients", "container faq-container"),
        ("clients", "container resnet-container"),
    }


def _texts(drawn: str) -> set[str]:
    return {text.text or "" for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")}


@pytest.mark.parametrize("stack", sorted(NAMES))
def test_every_stack_can_be_drawn_with_all_that_its_boxes_say(stack: str) -> None:
    drawn = picture_of(stack)
    said = {box.title for box in boxes(drawn.page)} | {
        line for box in boxes(drawn.page) for line in box.lines
    }
    assert said - {""} <= _texts(svg(drawn, stack))


@pytest.mark.parametrize("stack", ["prod", "local", "waf"])
def test_boxes_hold_what_is_inside_and_lie_on_nothing_else(stack: str) -> None:
    page = picture_of(stack).page
    places = list(_all(_placed(page, 0, 0, *_size(page))))
    for place in places:
        for inner in place.inside:
            assert place.x <= inner.x <= inner.right <= place.right
            assert place.y <= inner.y <= inner.bottom <= place.bottom
        for one in place.inside:
            assert not any(_overlap(one, other) for other in place.inside if other is not one)


def _overlap(one: Place, other: Place) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def test_the_readme_s_picture_is_that_of_production() -> None:
    shown = (ROOT / "docs" / "images" / "architecture.svg").read_text()
    assert shown == svg(picture_of("prod"), "The stack prod"), (
        "docs/images/architecture.svg is stale: run `make reference`"
    )
