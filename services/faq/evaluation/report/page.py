"""An evaluation as one page that needs nothing else: no script, no font, no address."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from services.faq.evaluation.report.plots import plots
from services.faq.evaluation.report.wording import interval, number, percent, points

PAGE: Final = "report.html"
DOCUMENT: Final = "report.json"


def require_place(folder: Path) -> None:
    """Make the folder of a report, and see that it takes a file, before the work for it is done.

    Raises:
        OSError: it cannot be made, or takes none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def write_report(document: Mapping[str, Any], folder: Path) -> None:
    """Write `report.html` and `report.json`, each under a temporary name first.

    Args:
        document: the evaluation's JSON.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = document_json(document)
    _replace(folder / DOCUMENT, content)
    _replace(folder / PAGE, page(orjson.loads(content)).encode())


def document_json(document: Mapping[str, Any]) -> bytes:
    """Return the evaluation as JSON; what is not a number is null."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def page(document: Mapping[str, Any]) -> str:
    """Return the evaluation as HTML. Every text in it is escaped but the plots, which are ours."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": percent,
        "number": number,
        "interval": interval,
        "points": points,
    }
    template = (Path(__file__).parent / "page.html.jinja").read_text("utf-8")
    # The plots are SVG that matplotlib made, with every text in it escaped.
    drawn = {name: Markup(svg) for name, svg in plots(document).items()}  # noqa: S704
    return environment.from_string(template).render(**document, plots=drawn)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)
