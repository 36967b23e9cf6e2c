"""A picture's boxes and arrows as SVG, laid out in rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from infra.planning.picture import Arrow, Box, Picture

PADDING, GAP, ARROW_GAP = 14, 14, 64
TITLE_SIZE, TEXT_SIZE, LINE = 14, 12, 17
WIDTH_OF_A_LETTER, WIDTH_OF_A_BOLD_LETTER = 0.61, 0.68
"""Of the letter's size, in the widest of the fonts named below; the others leave a margin."""

LOOKS: Mapping[str, Mapping[str, str]] = {
    "frame": {"fill": "#f6f8fb", "stroke": "#8a9bb3", "rx": "10"},
    "part": {"fill": "#ffffff", "stroke": "#2f5d9e", "rx": "6"},
    "outside": {"fill": "#fff7e8", "stroke": "#b7791f", "rx": "6"},
}
INK, FAINT = "#1b2733", "#506074"


@dataclass(frozen=True)
class Place:
    """Where a box stands, in pixels."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inside: tuple[Place, ...] = ()

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def svg(picture: Picture, title: str) -> str:
    """The picture as an SVG document; the same picture gives the same bytes."""
    width, height = _size(picture.page)
    page = _placed(picture.page, 0, 0, width, height)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:.0f} {height:.0f}",
            "width": f"{width:.0f}",
            "font-family": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
            "role": "img",
            "aria-label": title,
        },
    )
    ElementTree.SubElement(root, "title").text = title
    _add_arrow_head(root)
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    places = {place.box.key: place for place in _all(page)}
    for place in places.values():
        _add_box(root, place)
    for arrow in picture.arrows:
        _add_arrow(root, arrow, places[arrow.start], places[arrow.end])
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _size(box: Box) -> tuple[float, float]:
    """The least width and height of a box."""
    sizes = [_size(inner) for inner in box.inside]
    gap = _gap(box) * max(len(sizes) - 1, 0)
    widths, heights = [w for w, _ in sizes], [h for _, h in sizes]
    inner_width = sum(widths) + gap if box.across else max(widths, default=0)
    inner_height = max(heights, default=0) if box.across else sum(heights) + gap
    padding = _padding(box)
    width = max(inner_width, *_text_widths(box)) + 2 * padding
    head = _head(box) or padding
    return width, head + (inner_height + padding if box.inside else 0)


def _text_widths(box: Box) -> Iterator[float]:
    yield len(box.title) * TITLE_SIZE * WIDTH_OF_A_BOLD_LETTER
    for line in box.lines:
        yield len(line) * TEXT_SIZE * WIDTH_OF_A_LETTER


def _padding(box: Box) -> float:
    """What only holds others, without a line around it, needs none."""
    return 0 if box.look == "page" and box.key != "page" else PADDING


def _head(box: Box) -> float:
    """The height of a box's own words."""
    lines = bool(box.title) + len(box.lines)
    return lines * LINE + 2 * PADDING - 6 if lines else 0


def _gap(box: Box) -> float:
    return ARROW_GAP if box.across else GAP


def _placed(box: Box, x: float, y: float, width: float, height: float) -> Place:
    """The box and all inside it; these share the room that is left over."""
    sizes = [_size(inner) for inner in box.inside]
    padding = _padding(box)
    left, top = x + padding, y + (_head(box) or padding)
    room_across, room_down = width - 2 * padding, y + height - padding - top
    used = sum(size[0 if box.across else 1] for size in sizes)
    used += _gap(box) * max(len(sizes) - 1, 0)
    room = room_across if box.across else room_down
    spare = max(room - used, 0) / max(len(sizes), 1)
    inside: list[Place] = []
    for inner, (inner_width, inner_height) in zip(box.inside, sizes, strict=True):
        if box.across:
            inside.append(_placed(inner, left, top, inner_width + spare, room_down))
            left += inner_width + spare + _gap(box)
        else:
            inside.append(_placed(inner, left, top, room_across, inner_height + spare))
            top += inner_height + spare + _gap(box)
    return Place(box, x, y, width, height, tuple(inside))


def _all(place: Place) -> Iterator[Place]:
    yield place
    for inner in place.inside:
        yield from _all(inner)


def _add_box(root: ElementTree.Element, place: Place) -> None:
    box = place.box
    if box.look in LOOKS:
        shape = {
            "x": f"{place.x:.1f}",
            "y": f"{place.y:.1f}",
            "width": f"{place.width:.1f}",
            "height": f"{place.height:.1f}",
        }
        ElementTree.SubElement(root, "rect", {**shape, **LOOKS[box.look]})
    x, y = place.x + PADDING, place.y + PADDING + TITLE_SIZE * 0.8
    if not box.inside:
        y += (place.height - _head(box)) / 2
    if box.title:
        _add_text(root, x, y, box.title, TITLE_SIZE, INK, {"font-weight": "600"})
        y += LINE
    for line in box.lines:
        _add_text(root, x, y, line, TEXT_SIZE, FAINT)
        y += LINE


def _add_text(
    root: ElementTree.Element,
    x: float,
    y: float,
    text: str,
    size: int,
    ink: str,
    look: Mapping[str, str] | None = None,
) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-size": str(size), "fill": ink}
    ElementTree.SubElement(root, "text", {**place, **(look or {})}).text = text


def _add_arrow(root: ElementTree.Element, arrow: Arrow, start: Place, end: Place) -> None:
    """A straight line in the part of the height that both boxes share."""
    upper, lower = max(start.y, end.y), min(start.bottom, end.bottom)
    y = (upper + lower) / 2
    line = {"x1": f"{start.right:.1f}", "y1": f"{y:.1f}", "x2": f"{end.x:.1f}", "y2": f"{y:.1f}"}
    look = {"stroke": INK, "stroke-width": "1.4", "marker-end": "url(#head)"}
    ElementTree.SubElement(root, "line", {**line, **look})
    if arrow.label:
        middle = (start.right + end.x) / 2
        _add_text(root, middle, y - 5, arrow.label, TEXT_SIZE - 1, INK, {"text-anchor": "middle"})


def _add_arrow_head(root: ElementTree.Element) -> None:
    definitions = ElementTree.SubElement(root, "defs")
    marker = ElementTree.SubElement(
        definitions,
        "marker",
        {
            "id": "head",
            "viewBox": "0 0 8 8",
            "refX": "8",
            "refY": "4",
            "markerWidth": "8",
            "markerHeight": "8",
            "orient": "auto",
        },
    )
    ElementTree.SubElement(marker, "path", {"d": "M0 0L8 4L0 8z", "fill": INK})
